import {
  type ExternalTriggerRunPath,
  type ExternalTriggerRunRequest,
  ScanError,
  type Task,
} from "@openscan/protocol";
import type { TaskManager } from "@openscan/tasks";
import type { RunFiles } from "./run-files.js";
import { requireRunnable, runTaskType, type TriggeringScanner } from "./run-task.js";

interface RunsOptions {
  readonly device: TriggeringScanner;
  readonly files: RunFiles;
  readonly tasks: TaskManager;
}

/** What clients do with runs of an external camera. A run is its task; ids of other tasks are unknown here. */
export class ExternalTriggerRuns {
  readonly #device: TriggeringScanner;
  readonly #files: RunFiles;
  readonly #tasks: TaskManager;

  constructor({ device, files, tasks }: RunsOptions) {
    this.#device = device;
    this.#files = files;
    this.#tasks = tasks;
  }

  /** Newest first. */
  list(): Task[] {
    return this.#tasks
      .list()
      .filter(({ task_type }) => task_type === runTaskType)
      .reverse();
  }

  /** @throws ScanError `not_found`, as all others do */
  get(id: string): Task {
    const task = this.#tasks.get(id);
    if (task?.task_type === runTaskType) return task;
    throw new ScanError("not_found", `there is no external trigger run ${JSON.stringify(id)}`);
  }

  /** Queues a run. What can be known to fail is refused: errors as `requireRunnable`. */
  async create({ settings, label, description }: ExternalTriggerRunRequest): Promise<Task> {
    requireRunnable(settings, this.#device);
    return this.#tasks.create(runTaskType, [settings], { label, description });
  }

  /** Also of a run whose task has been removed. */
  async path(id: string): Promise<ExternalTriggerRunPath> {
    return this.#files.path(id);
  }

  cancel(id: string): Task {
    return this.#tasks.cancel(this.get(id).id);
  }

  pause(id: string): Task {
    return this.#tasks.pause(this.get(id).id);
  }

  /** Lets a paused run go on, and one that the end of the process interrupted, where it was. */
  resume(id: string): Task {
    return this.#tasks.resume(this.get(id).id);
  }
}
