import type { Device } from "@openscan/hardware";
import {
  calibrateWhiteBalance,
  cameraSettings,
  getAnyPhoto,
  getCamera,
  getCameraReport,
  getJpegPhoto,
  getPhoto,
  getPhotoPayload,
  getPreview,
  listCameras,
  restartCamera,
  ScanError,
} from "@openscan/protocol";
import { type CameraReports, reportText } from "../device/camera-report.js";
import { type Route, route } from "../http/route.js";
import type { PhotoPayloads } from "../photo-payloads.js";
import { streamPreview } from "./mjpeg.js";
import { answerPhoto, sendPayload } from "./photo.js";
import { settingsRoutes } from "./settings.js";
import { statuses } from "./statuses.js";

interface Parts {
  readonly device: Device;
  readonly payloads: PhotoPayloads;
  readonly reports: Pick<CameraReports, "make">;
}

export function cameraRoutes({ device, payloads, reports }: Parts): Route[] {
  return [
    route(listCameras, () => statuses(device.cameras)),
    route(getCamera, ({ params }) => device.camera(params.camera_name).status()),
    route(getPreview, async ({ params, query }, { req, res, signal }) => {
      const camera = device.camera(params.camera_name);
      if (query.mode === "stream") return streamPreview(camera, query.fps, { req, res, signal });
      if (camera.status().busy) throw new ScanError("busy", `camera ${camera.name} is busy`);
      const jpeg = await camera.preview(signal);
      res.set("Cache-Control", "no-store").type("image/jpeg").send(Buffer.from(jpeg));
    }),
    route(getJpegPhoto, ({ params }, exchange) =>
      answerPhoto(
        device.camera(params.camera_name),
        { image_format: "jpeg", with_metadata: false },
        { exchange, payloads },
      ),
    ),
    ...([getPhoto, getAnyPhoto] as const).map((endpoint) =>
      route(endpoint as typeof getAnyPhoto, ({ params, query }, exchange) =>
        answerPhoto(device.camera(params.camera_name), query, { exchange, payloads }),
      ),
    ),
    route(getPhotoPayload, ({ params }, { res }) =>
      sendPayload(res, payloads.find(params.camera_name, params.payload_id)),
    ),
    route(restartCamera, async ({ params }, { res, signal }) => {
      await device.camera(params.camera_name).restart(signal);
      res.status(200).end();
    }),
    route(calibrateWhiteBalance, async ({ params, body }, { signal }) => {
      const { warmup_frames, stable_frames, eps, timeout_s } = body;
      const search = {
        warmupFrames: warmup_frames,
        stableFrames: stable_frames,
        eps,
        timeoutMs: 1000 * timeout_s,
      };
      const { red, blue } = await device.camera(params.camera_name).calibrateWhiteBalance(search, signal);
      return { red_gain: red, blue_gain: blue };
    }),
    route(getCameraReport, async ({ query }, { res }) => {
      const report = await reports.make();
      res.set("Cache-Control", "no-store");
      if (query.format === "json") return report;
      res.type("text/plain").send(reportText(report));
    }),
    ...settingsRoutes(cameraSettings, (name) => device.camera(name).settings),
  ];
}
