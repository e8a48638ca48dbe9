import { Worker } from "node:worker_threads";
import type { WorkerCommand, WorkerReply } from "./worker-messages.js";

export type WorkerEvent = WorkerReply | { readonly type: "exit"; readonly code: number };

/** One thread as `runInWorker` needs it. */
export interface WorkerThread {
  post(command: WorkerCommand): void;
  /** Ends it without its consent. `exit` still follows, when it has really ended. */
  terminate(): void;
}

/** @param listener called with everything that the thread says; `exit` is the last event, and always comes */
export type SpawnWorker = (
  script: URL,
  input: unknown,
  listener: (event: WorkerEvent) => void,
) => WorkerThread;

export const spawnThread: SpawnWorker = (script, input, listener) => {
  // Options of this process, such as the condition that resolves packages to their TypeScript, are not the script's.
  const worker = new Worker(script, { workerData: input, execArgv: [] });
  worker.on("message", (reply: WorkerReply) => listener(reply));
  worker.on("error", (error) => listener({ type: "failed", message: error.message }));
  worker.on("exit", (code) => listener({ type: "exit", code }));
  return {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
    post: (command) => worker.postMessage(command),
    terminate: () => void worker.terminate(),
  };
};
