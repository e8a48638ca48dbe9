import { z } from "zod";
import { taskId } from "./examples.js";
import { defineEvent } from "./namespace.js";

export const photoCaptured = defineEvent({
  schema: z.object({
    type: z.literal("photo.captured"),
    task_id: z.string(),
    project: z.string(),
    scan: z.int().describe("number of the scan within its project"),
    file: z.string().describe("entry of the scan's `photos`"),
    theta: z.number().describe("degrees from the north pole"),
    fi: z.number().describe("azimuth in degrees"),
    stack_index: z.int().nullable().describe("place in the focus stack; null without stacking"),
    sharpness: z
      .number()
      .nullable()
      .describe("variance of the Laplacian of green, in squared levels; null when it was not measured"),
    url: z.string().describe("of the photo's bytes, below the mount of the API"),
  }),
  description: "A photo and its metadata are on the disk.",
  example: () => ({
    type: "photo.captured" as const,
    task_id: taskId,
    project: "vase",
    scan: 1,
    file: "scan01_012.jpg",
    theta: 48.5,
    fi: 222.5,
    stack_index: null,
    sharpness: 412.7,
    url: "/projects/vase/1/photo?filename=scan01_012.jpg&file_only=true",
  }),
  id: ({ task_id }) => task_id,
});
