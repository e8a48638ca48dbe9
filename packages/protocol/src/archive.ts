import { z } from "zod";
import { defineEndpoint } from "./endpoint.js";
import { PoseFormat } from "./poses.js";

const ProjectAddress = z.object({ project_name: z.string() });
const prefer_stacked_photos = z
  .boolean()
  .default(false)
  .describe("stacked photos take the place of those that they were made of");

const with_poses = PoseFormat.optional()
  .describe("adds files for another program that tell where the camera stood, beside the photos of each scan")
  .meta({ undocumented: true });

export const downloadProject = defineEndpoint({
  operationId: "download_project",
  method: "get",
  path: "/projects/{project_name}/zip",
  params: ProjectAddress,
  query: z.object({
    photos_only: z.boolean().default(false).describe("the photos alone, side by side"),
    prefer_stacked_photos,
    with_poses,
  }),
  media: "application/zip",
});
export const downloadScans = defineEndpoint({
  operationId: "download_scans",
  method: "get",
  path: "/projects/{project_name}/scans/zip",
  params: ProjectAddress,
  query: z.object({
    scan_indices: z.array(z.int()).optional().describe("all scans when left out"),
    prefer_stacked_photos,
    with_poses,
  }),
  media: "application/zip",
});
export const downloadModel = defineEndpoint({
  operationId: "download_project_model",
  method: "get",
  path: "/projects/{project_name}/model/zip",
  params: ProjectAddress,
  media: "application/zip",
});
