import type { LiveTask } from "@openscan/protocol";
import { PauseGate } from "./pause-gate.js";
import type { TaskBody, TaskContext, TaskType } from "./task-type.js";

/** One life of a task, from the moment it is queued until its slot is free again; a restart begins another. */
export class TaskRun {
  readonly id: string;
  readonly type: TaskType;
  readonly gate: PauseGate;
  readonly ended: Promise<LiveTask>;
  readonly #prepare: () => (context: TaskContext) => TaskBody;
  readonly #abort = new AbortController();
  #end: (task: LiveTask) => void = () => {};

  /** @param prepare parses the arguments; called when the run starts, so that its failure is the task's */
  constructor(id: string, type: TaskType, prepare: () => (context: TaskContext) => TaskBody) {
    this.id = id;
    this.type = type;
    this.#prepare = prepare;
    this.gate = new PauseGate(this.#abort.signal);
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  get concurrency(): TaskType["concurrency"] {
    return this.type.concurrency;
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  open(context: TaskContext): TaskBody {
    this.signal.throwIfAborted();
    return this.#prepare()(context);
  }

  abort(reason: Error): void {
    this.#abort.abort(reason);
  }

  /** Tells those that await `ended`. */
  end(task: LiveTask): void {
    this.#end(task);
  }
}
