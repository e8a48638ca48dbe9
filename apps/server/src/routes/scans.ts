import {
  cancelScan,
  deletePhotos,
  deleteScan,
  getScan,
  getScanPath,
  getScanPhoto,
  getScanStatus,
  pauseScan,
  resumeScan,
  startScan,
} from "@openscan/protocol";
import { type Route, route } from "../http/route.js";
import { scanFolderName } from "../projects/layout.js";
import type { ProjectStore } from "../projects/project-store.js";
import type { Scans } from "../projects/scans.js";
import { photoAsJson } from "./scan-photo.js";
import { sendFile } from "./send-file.js";

interface Parts {
  readonly store: ProjectStore;
  readonly scans: Scans;
}

type Address = { readonly project_name: string; readonly scan_index: number };

export function scanRoutes({ store, scans }: Parts): Route[] {
  const at = ({ project_name, scan_index }: Address) => [project_name, scan_index] as const;
  return [
    route(startScan, ({ params, query, body }) =>
      scans.start(params.project_name, {
        settings: body,
        camera_name: query.camera_name,
        description: query.scan_description,
      }),
    ),
    route(getScan, ({ params }) => store.scan(...at(params))),
    route(getScanStatus, ({ params }) => scans.task(...at(params))),
    route(getScanPath, ({ params }) => store.readPath(...at(params))),
    route(pauseScan, ({ params }) => scans.pause(...at(params))),
    route(resumeScan, ({ params, query }) => scans.resume(...at(params), query.camera_name)),
    route(cancelScan, ({ params }) => scans.cancel(...at(params))),
    route(deleteScan, async ({ params }) => {
      await scans.deleteScan(...at(params));
      const deleted = [`${params.project_name}:${scanFolderName(params.scan_index)}`];
      return {
        success: true,
        message: `Scan ${params.scan_index} of ${params.project_name} deleted`,
        deleted,
      };
    }),
    route(deletePhotos, async ({ params, query: { photo_filenames } }) => {
      await scans.deletePhotos(...at(params), photo_filenames);
      const message = `${photo_filenames.length} photos of scan ${params.scan_index} of ${params.project_name} deleted`;
      return { success: true, message, deleted: photo_filenames };
    }),
    route(getScanPhoto, async ({ params, query }, { res }) => {
      const path = await store.photoFile(...at(params), query.filename);
      if (!query.file_only) return photoAsJson({ ...params, filename: query.filename, path });
      return sendFile(res, path);
    }),
  ];
}
