import { parentPort, workerData } from "node:worker_threads";
import type { TaskProgress } from "@openscan/protocol";
import { runBody } from "./run-body.js";
import { TaskInterrupted } from "./task-interrupted.js";
import type { TaskBody } from "./task-type.js";
import type { WorkerCommand, WorkerReply } from "./worker-messages.js";

/**
 * The thread's side of a worker task: a worker script calls this once, at its top level, with its body.
 *
 * `input` is what `defineWorkerTask` parsed, as a structured clone. The signal is aborted with a `TaskInterrupted` at
 * shutdown and with an `AbortError` when the task is cancelled; a body that never awaits cannot notice, and is
 * terminated when its time to stop is over.
 *
 * This module loads none of our packages: a thread with all schemas takes ten times as long to start.
 */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- names what a structured clone cannot tell
export function serveTask<Input>(
  run: (input: Input, context: { readonly signal: AbortSignal }) => TaskBody,
): void {
  const port = parentPort;
  if (!port) throw new Error("serveTask was called outside of a worker thread");
  const abort = new AbortController();
  let goOn = () => {};
  port.on("message", (command: WorkerCommand) => {
    if (command.type === "abort") {
      abort.abort(command.interrupted ? new TaskInterrupted() : undefined);
    }
    goOn();
  });
  const say = (reply: WorkerReply) => port.postMessage(reply);

  const report = async (progress: TaskProgress) => {
    const answered = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    say({ type: "progress", progress });
    await answered;
  };
  const finish = async () => {
    try {
      const result = await runBody(run(workerData as Input, { signal: abort.signal }), abort.signal, report);
      say({ type: "result", result });
    } catch (cause) {
      say({ type: "failed", message: cause instanceof Error ? cause.message : String(cause) });
    } finally {
      port.close();
    }
  };
  void finish();
}
