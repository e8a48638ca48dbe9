import { downloadModel, downloadProject, downloadScans } from "@openscan/protocol";
import { type Route, route } from "../http/route.js";
import { modelArchive, projectArchive, scansArchive } from "../projects/archive.js";
import type { ProjectStore } from "../projects/project-store.js";
import { sendZip } from "./send-zip.js";

export function archiveRoutes(store: ProjectStore): Route[] {
  return [
    route(downloadProject, async ({ params, query }, exchange) => {
      const archive = await projectArchive(store.get(params.project_name), {
        photosOnly: query.photos_only,
        preferStacked: query.prefer_stacked_photos,
      });
      await sendZip(exchange, archive);
    }),
    route(downloadScans, async ({ params, query }, exchange) => {
      const archive = await scansArchive(store.get(params.project_name), query.scan_indices, {
        preferStacked: query.prefer_stacked_photos,
      });
      await sendZip(exchange, archive);
    }),
    route(downloadModel, async ({ params }, exchange) => {
      await sendZip(exchange, await modelArchive(store.get(params.project_name)));
    }),
  ];
}
