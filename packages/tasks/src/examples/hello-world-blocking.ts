import { workerUrl } from "@openscan/runtime";
import { z } from "zod";
import { parameters } from "../parameters.js";
import { defineWorkerTask } from "../worker-task.js";

/** Blocks a thread of its own for `duration` seconds. */
export const helloWorldBlocking = defineWorkerTask({
  type: "hello_world_blocking_task",
  script: workerUrl(import.meta.url, "./hello-world-worker.js"),
  input: parameters(z.strictObject({ duration: z.number().min(0).default(3) })),
});
