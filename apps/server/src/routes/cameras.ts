import type { Device } from "@openscan/hardware";
import { cameraSettings, getCamera, getPhoto, getPreview, listCameras, ScanError } from "@openscan/protocol";
import type { Clock } from "@openscan/runtime";
import { type Route, route } from "../http/route.js";
import { streamPreview } from "./mjpeg.js";
import { settingsRoutes } from "./settings.js";
import { statuses } from "./statuses.js";

export function cameraRoutes(device: Device, clock: Clock): Route[] {
  return [
    route(listCameras, () => statuses(device.cameras)),
    route(getCamera, ({ params }) => device.camera(params.camera_name).status()),
    route(getPreview, async ({ params, query }, { res, signal }) => {
      const camera = device.camera(params.camera_name);
      if (query.mode === "stream") return streamPreview(camera, query.fps, { res, signal, clock });
      if (camera.status().busy) throw new ScanError("busy", `camera ${camera.name} is busy`);
      res.type("image/jpeg").send(Buffer.from(await camera.preview(signal)));
    }),
    route(getPhoto, async ({ params, query }, { res, signal }) => {
      const photo = await device.camera(params.camera_name).capture({ format: query.image_format, signal });
      res.set("Cache-Control", "no-store").type(photo.mediaType).send(Buffer.from(photo.bytes));
    }),
    ...settingsRoutes(cameraSettings, (name) => device.camera(name).settings),
  ];
}
