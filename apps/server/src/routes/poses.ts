import { getScanPoses, ScanError } from "@openscan/protocol";
import { type Exchange, type Route, route } from "../http/route.js";
import { poseFiles } from "../poses/pose-files.js";
import { withStackedPhotos } from "../poses/scan-poses.js";
import { scanFolderName } from "../projects/layout.js";
import type { ProjectStore } from "../projects/project-store.js";
import { mediaTypeOf } from "./media-type.js";
import { sendZip } from "./send-zip.js";

export function poseRoutes(store: ProjectStore): Route[] {
  return [
    route(getScanPoses, async ({ params: { project_name, scan_index }, query }, exchange) => {
      const scan = store.scan(project_name, scan_index);
      const measured = await store.poses(project_name, scan_index, query.turntable_sign);
      const poses = query.prefer_stacked_photos ? withStackedPhotos(measured, scan) : measured;
      if (query.format === "poses") return poses;
      if (poses.photos.length === 0)
        throw new ScanError(
          "not_found",
          `scan ${scan_index} of project ${JSON.stringify(scan.project_name)} has no photos with poses`,
        );
      const label = `${scan.project_name}_${scanFolderName(scan_index)}`;
      const files = poseFiles(query.format, poses);
      const [first] = files;
      if (first && ["transforms", "metashape"].includes(query.format)) {
        sendText(exchange, { name: `${label}_${first.name}`, text: first.text });
        return undefined;
      }
      const modified = new Date(poses.generated);
      const entries = files.map(({ name, text }) => ({ name, content: { bytes: text, modified } }));
      return sendZip(exchange, { name: `${label}_${query.format}.zip`, modified, entries });
    }),
  ];
}

function sendText({ res }: Exchange, { name, text }: { readonly name: string; readonly text: string }): void {
  res.attachment(name);
  res.type(mediaTypeOf(name)).send(text);
}
