import { ScanError, type TaskProgress } from "@openscan/protocol";
import { TaskInterrupted } from "./task-interrupted.js";
import { defineTask, type TaskContext, type TaskDefinition, type TaskType } from "./task-type.js";
import { type SpawnWorker, spawnThread, type WorkerEvent } from "./worker-thread.js";

export interface WorkerOptions {
  /** How long a thread may take to end by itself, after an abort or its result; default 2 s. */
  readonly graceMs?: number;
  readonly spawn?: SpawnWorker;
}

export interface WorkerTaskDefinition<Input>
  extends Omit<TaskDefinition<Input>, "concurrency" | "run">,
    WorkerOptions {
  /** A script that calls `serveTask` of `@openscan/tasks/worker`; it receives what `input` returned. */
  readonly script: URL;
}

/** A task whose body runs on a thread of its own, so that long computations do not hold up the process. */
export function defineWorkerTask<Input>(definition: WorkerTaskDefinition<Input>): TaskType {
  const { script, ...rest } = definition;
  return defineTask({
    ...rest,
    concurrency: "worker",
    run: (input, context) => runInWorker(script, input, context, definition),
  });
}

/**
 * The body of a worker task. An abort is passed on to the thread, which is terminated if it has not ended after the
 * grace; the generator ends only when the thread really has.
 */
export async function* runInWorker(
  script: URL,
  input: unknown,
  { signal, clock }: TaskContext,
  { graceMs = 2000, spawn = spawnThread }: WorkerOptions = {},
): AsyncGenerator<TaskProgress, unknown, void> {
  signal.throwIfAborted();
  const inbox = new Inbox();
  const thread = spawn(script, input, (event) => inbox.put(event));
  let endGrace: (() => void) | undefined;
  const stop = () => {
    if (endGrace) return;
    thread.post({ type: "abort", interrupted: signal.reason instanceof TaskInterrupted });
    endGrace = clock.after(graceMs, () => thread.terminate());
  };
  signal.addEventListener("abort", stop, { once: true });
  let finished = false;
  try {
    for (;;) {
      const event = await inbox.take();
      if (event.type === "progress") {
        yield event.progress;
        thread.post({ type: "next" });
        continue;
      }
      finished = true;
      if (event.type === "result") return event.result;
      signal.throwIfAborted();
      if (event.type === "failed") throw new ScanError("internal", event.message);
      throw new ScanError(
        "internal",
        `the thread of ${script.href} ended without a result, code ${event.code}`,
      );
    }
  } finally {
    signal.removeEventListener("abort", stop);
    if (!finished) stop();
    endGrace ??= clock.after(graceMs, () => thread.terminate());
    await inbox.exited;
    endGrace();
  }
}

/** The events of one thread, in order, for a reader that comes for them one by one. */
class Inbox {
  readonly exited: Promise<void>;
  readonly #events: WorkerEvent[] = [];
  #exit = () => {};
  #wake = () => {};

  constructor() {
    this.exited = new Promise((resolve) => {
      this.#exit = resolve;
    });
  }

  put(event: WorkerEvent): void {
    this.#events.push(event);
    if (event.type === "exit") this.#exit();
    this.#wake();
  }

  async take(): Promise<WorkerEvent> {
    for (;;) {
      const event = this.#events.shift();
      if (event) return event;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
