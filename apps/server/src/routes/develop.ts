import { unconstrainedFibonacci } from "@openscan/paths";
import { previewPath, restartApplication, ScanError, startHelloWorld, startQrScan } from "@openscan/protocol";
import type { TaskManager } from "@openscan/tasks";
import { type Route, route } from "../http/route.js";
import { qrScanTaskType } from "../tasks/qr-scan-task.js";

interface Parts {
  readonly tasks: TaskManager;
  readonly restart: (() => void) | undefined;
}

export function developRoutes({ tasks, restart }: Parts): Route[] {
  return [
    route(restartApplication, (_input, { res }) => {
      if (!restart) throw new ScanError("unsupported", "this server cannot restart itself");
      // Not before the client has its answer.
      res.once("close", restart);
      return { detail: "Reload triggered" };
    }),
    route(startHelloWorld, ({ query }) => tasks.create("hello_world_async_task", [], query)),
    route(startQrScan, ({ query }) => tasks.create(qrScanTaskType, [query.camera_name])),
    route(previewPath, ({ query }) => unconstrainedFibonacci(query.points)),
  ];
}
