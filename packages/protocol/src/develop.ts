import { z } from "zod";
import { defineEndpoint } from "./endpoint.js";
import { CartesianPoint, PathMethod } from "./scan.js";
import { Task } from "./task.js";

/** Beyond it a preview is of no use, and its reply of many megabytes. */
const MAX_PREVIEW_POINTS = 100_000;

export const restartApplication = defineEndpoint({
  operationId: "restart_application",
  method: "post",
  path: "/develop/restart",
  status: 202,
  response: z.record(z.string(), z.string()),
});
export const cropImage = defineEndpoint({
  operationId: "crop_image",
  method: "get",
  path: "/develop/crop_image",
  query: z.object({
    camera_name: z.string(),
    threshold: z.int().min(0).max(255).nullable().optional(),
  }),
  media: "image/jpeg",
});
export const startHelloWorld = defineEndpoint({
  operationId: "hello_world_async",
  method: "post",
  path: "/develop/hello-world-async",
  query: z.object({ total_steps: z.int(), delay: z.number().describe("s") }),
  describes: "tasks",
  response: Task,
});
export const startQrScan = defineEndpoint({
  operationId: "start_qr_scan",
  method: "post",
  path: "/develop/qr-scan",
  versions: ["0.9", "next"],
  query: z.object({ camera_name: z.string() }),
  status: 202,
  describes: "tasks",
  response: Task,
});
/** Its path takes every name below `/develop`: it has to come after the others. */
export const previewPath = defineEndpoint({
  operationId: "get_path",
  method: "get",
  path: "/develop/{method}",
  params: z.object({ method: PathMethod }),
  query: z.object({
    points: z
      .int()
      .refine((points) => points >= 1 && points <= MAX_PREVIEW_POINTS, `must be 1 to ${MAX_PREVIEW_POINTS}`),
  }),
  response: z.array(CartesianPoint),
});
