import { downloadModel, downloadProject, downloadScans, type PoseFormat } from "@openscan/protocol";
import { type Route, route } from "../http/route.js";
import { modelArchive, projectArchive, type ScanArchiveOptions, scansArchive } from "../projects/archive.js";
import type { ProjectStore } from "../projects/project-store.js";
import { sendZip } from "./send-zip.js";

export function archiveRoutes(store: ProjectStore): Route[] {
  return [
    route(downloadProject, async ({ params, query }, exchange) => {
      const archive = await projectArchive(
        store.get(params.project_name),
        {
          photosOnly: query.photos_only,
          ...optionsOf(query),
        },
        store,
      );
      await sendZip(exchange, archive);
    }),
    route(downloadScans, async ({ params, query }, exchange) => {
      const archive = await scansArchive(
        store.get(params.project_name),
        query.scan_indices,
        optionsOf(query),
        store,
      );
      await sendZip(exchange, archive);
    }),
    route(downloadModel, async ({ params }, exchange) => {
      await sendZip(exchange, await modelArchive(store.get(params.project_name)));
    }),
  ];
}

interface Wishes {
  readonly prefer_stacked_photos: boolean;
  readonly with_poses?: PoseFormat | undefined;
}

function optionsOf({ prefer_stacked_photos, with_poses }: Wishes): ScanArchiveOptions {
  return { preferStacked: prefer_stacked_photos, withPoses: with_poses };
}
