import { serveTask } from "../worker.js";

serveTask(async ({ duration }: { duration: number }) => {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, duration * 1000);
  return "Hello world from a worker thread!";
});
