import { type CameraSettings, ScanError, type TaskProgress } from "@openscan/protocol";
import { workerUrl } from "@openscan/runtime";
import { defineTask, parameters, runInWorker, type TaskContext, type TaskType } from "@openscan/tasks";
import { z } from "zod";
import type { CropFound, CropJob } from "../crop/crop-worker.js";

export const cropTaskType = "crop_task";

const script = workerUrl(import.meta.url, "../crop/crop-worker.js");

export interface CropCamera {
  readonly name: string;
  readonly settings: {
    get(): CameraSettings;
    replace(settings: CameraSettings): Promise<CameraSettings>;
  };
  capture(request: { readonly format: "jpeg"; readonly signal: AbortSignal }): Promise<{
    readonly bytes: Uint8Array;
  }>;
}

export interface CropTaskOptions {
  /** @throws ScanError `not_found` */
  readonly camera: (name: string) => CropCamera;
  /** Keeps the picture of a result for a while; returns its id. */
  readonly keep: (camera: string, jpeg: Uint8Array) => string;
}

/** Without the picture, which every event and every list would carry along. */
export const CropResult = z.object({
  mime: z.literal("image/jpeg"),
  image_id: z.string().describe("GET /cameras/{camera_name}/photo/payload/{image_id}, for 90 s"),
  image_size: z.tuple([z.int(), z.int()]),
  bbox: z.tuple([z.int(), z.int(), z.int(), z.int()]).describe("x, y, width, height in the image"),
  crop_width: z.int(),
  crop_height: z.int(),
});
export type CropResult = z.output<typeof CropResult>;

/** Finds the object before the camera and stores the tightest centred crop that leaves it whole. */
export function cropTask(options: CropTaskOptions): TaskType {
  const parse = parameters(
    z.object({ camera_name: z.string(), threshold: z.int().min(0).max(255).default(100) }),
  );
  return defineTask({
    type: cropTaskType,
    concurrency: "worker",
    input(args, kwargs) {
      const input = parse(args, kwargs);
      options.camera(input.camera_name);
      return input;
    },
    run: ({ camera_name, threshold }, context) =>
      crop(options.camera(camera_name), threshold, options.keep, context),
  });
}

async function* crop(
  camera: CropCamera,
  threshold: number,
  keep: CropTaskOptions["keep"],
  context: TaskContext,
): AsyncGenerator<TaskProgress, CropResult, void> {
  const jpeg = await uncropped(camera, context.signal);
  const { orientation_flag: orientation } = camera.settings.get();
  const job: CropJob = { jpeg, orientation, threshold };
  const found = (yield* runInWorker(script, job, context)) as CropFound;
  context.signal.throwIfAborted();
  const { horizontal, vertical, box, width, height } = found;
  // The camera crops the pixels as they come from the sensor.
  const isTurned = orientation !== null && orientation >= 5 && orientation <= 8;
  const [crop_width, crop_height] = isTurned ? [vertical, horizontal] : [horizontal, vertical];
  await setCrop(camera, { crop_width, crop_height });
  return {
    mime: "image/jpeg",
    image_id: keep(camera.name, found.jpeg),
    image_size: [width, height],
    bbox: [box.x, box.y, box.width, box.height],
    crop_width,
    crop_height,
  };
}

/** What an earlier crop has cut off may be a part of the object. The crop is back when this settles, come what may. */
async function uncropped(camera: CropCamera, signal: AbortSignal): Promise<Uint8Array> {
  const { crop_width, crop_height } = camera.settings.get();
  await setCrop(camera, { crop_width: 0, crop_height: 0 });
  try {
    return (await camera.capture({ format: "jpeg", signal })).bytes;
  } catch (error) {
    if (error instanceof ScanError && error.code === "cancelled") signal.throwIfAborted();
    throw error;
  } finally {
    await setCrop(camera, { crop_width, crop_height });
  }
}

async function setCrop(
  { settings }: CropCamera,
  crop: Pick<CameraSettings, "crop_width" | "crop_height">,
): Promise<void> {
  await settings.replace({ ...settings.get(), ...crop });
}
