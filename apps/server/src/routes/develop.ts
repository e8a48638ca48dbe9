import { unconstrainedFibonacci } from "@openscan/paths";
import {
  cropImage,
  previewPath,
  restartApplication,
  ScanError,
  startHelloWorld,
  startQrScan,
} from "@openscan/protocol";
import type { Clock } from "@openscan/runtime";
import type { TaskManager } from "@openscan/tasks";
import { type Route, route } from "../http/route.js";
import type { PhotoPayloads } from "../photo-payloads.js";
import { CropResult, cropTaskType } from "../tasks/crop-task.js";
import { qrScanTaskType } from "../tasks/qr-scan-task.js";
import { sendPayload } from "./photo.js";

/** Of `GET /develop/crop_image`, from the request to the picture. */
const CROP_LIMIT_MS = 120_000;

interface Parts {
  readonly tasks: TaskManager;
  readonly payloads: PhotoPayloads;
  readonly clock: Clock;
  readonly restart: (() => void) | undefined;
}

export function developRoutes({ tasks, payloads, clock, restart }: Parts): Route[] {
  return [
    route(restartApplication, (_input, { res }) => {
      if (!restart) throw new ScanError("unsupported", "this server cannot restart itself");
      // Not before the client has its answer.
      res.once("close", restart);
      return { detail: "Reload triggered" };
    }),
    route(cropImage, async ({ query: { camera_name, threshold } }, { res, signal }) => {
      const task = await tasks.create(cropTaskType, [camera_name], threshold == null ? {} : { threshold });
      const limit = new AbortController();
      const cancelLimit = clock.after(CROP_LIMIT_MS, () =>
        limit.abort(new ScanError("timeout", `no crop was found within ${CROP_LIMIT_MS / 1000} s`)),
      );
      try {
        const { status, result, error } = await tasks.ended(task.id, AbortSignal.any([signal, limit.signal]));
        if (status !== "completed") throw new ScanError("internal", error ?? `the crop task is ${status}`);
        sendPayload(res, payloads.find(camera_name, CropResult.parse(result).image_id));
      } finally {
        cancelLimit();
        tasks.cancel(task.id);
      }
    }),
    route(startHelloWorld, ({ query }) => tasks.create("hello_world_async_task", [], query)),
    route(startQrScan, ({ query }) => tasks.create(qrScanTaskType, [query.camera_name])),
    route(previewPath, ({ query }) => unconstrainedFibonacci(query.points)),
  ];
}
