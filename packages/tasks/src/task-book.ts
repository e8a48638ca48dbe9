import { type LiveTask, ScanError, type Task, type TaskProgress } from "@openscan/protocol";
import type { Clock, Logger } from "@openscan/runtime";
import { EventQueue } from "./event-queue.js";
import { TaskJournal } from "./task-journal.js";
import * as machine from "./task-machine.js";
import type { TaskRun } from "./task-run.js";
import type { StoredTask, TaskStore } from "./task-store.js";
import type { Arguments } from "./task-type.js";

/** `task` is frozen: it stays what it was at the moment of the transition. */
export type TaskEvent =
  | { readonly type: "updated"; readonly task: LiveTask }
  | { readonly type: "deleted"; readonly id: string };

/** A task and what is known of it beyond its record. */
export interface TaskEntry {
  task: LiveTask;
  /** The arguments as they were given, secrets included; what the task shows of them may be less. */
  readonly given: Arguments;
  readonly storesArguments: boolean;
  /** Set while the task is queued or its body has not ended, also after its status is terminal. */
  run?: TaskRun;
}

/** All tasks, in memory and on disk; each change of one is stored and told. */
export class TaskBook {
  readonly #log: Logger;
  readonly #journal: TaskJournal;
  readonly #events: EventQueue<TaskEvent>;
  readonly #entries = new Map<string, TaskEntry>();
  /** Ids of the tasks without a run, in the order in which they ended. */
  readonly #ended = new Set<string>();
  readonly #endedLimit: number;
  #revision = 0;

  constructor(options: {
    store: TaskStore;
    clock: Clock;
    log: Logger;
    progressIntervalMs: number;
    endedLimit: number;
  }) {
    const { store, clock, log, progressIntervalMs, endedLimit } = options;
    this.#log = log;
    this.#journal = new TaskJournal({ store, clock, log, intervalMs: progressIntervalMs });
    this.#events = new EventQueue(log);
    this.#endedLimit = Math.max(1, endedLimit);
  }

  get events(): EventQueue<TaskEvent>["emitter"] {
    return this.#events.emitter;
  }

  get(id: string): TaskEntry | undefined {
    return this.#entries.get(id);
  }

  /** @throws ScanError `not_found` */
  find(id: string): TaskEntry {
    const entry = this.#entries.get(id);
    if (!entry) throw new ScanError("not_found", `there is no task ${id}`);
    return entry;
  }

  /** In the order in which they were added. */
  all(): TaskEntry[] {
    return [...this.#entries.values()];
  }

  add(task: Task, known: Pick<TaskEntry, "given" | "storesArguments">): TaskEntry {
    const entry = { ...known, task: this.#revised(task) };
    this.#entries.set(task.id, entry);
    return entry;
  }

  /** Gives a task its run, which it keeps until `end`. */
  begin(entry: TaskEntry, run: TaskRun): void {
    entry.run = run;
    this.#ended.delete(run.id);
  }

  end(entry: TaskEntry): void {
    delete entry.run;
    this.#ended.add(entry.task.id);
  }

  /** Makes `task` the record of its entry. Resolves when it, or a later one, is stored. */
  update(entry: TaskEntry, task: Task): Promise<void> {
    entry.task = this.#revised(task);
    const written = this.#journal.write(stored(entry));
    this.#events.emit({ type: "updated", task: entry.task });
    return written;
  }

  /** Tells of a task as it is, to those who have not heard of it. */
  announce({ task }: TaskEntry): void {
    this.#events.emit({ type: "updated", task });
  }

  /** As `update`, but not every progress is worth a write. */
  report(entry: TaskEntry, progress: TaskProgress): void {
    entry.task = this.#revised(machine.reported(entry.task, progress));
    this.#journal.writeProgress(stored(entry));
    this.#events.emit({ type: "updated", task: entry.task });
  }

  /** @throws the error of the store; the task is then gone from memory all the same */
  remove(id: string): Promise<void> {
    this.#ended.delete(id);
    const removal = this.#journal.remove(id);
    if (this.#entries.delete(id)) this.#events.emit({ type: "deleted", id });
    return removal;
  }

  /** As `remove`, for tasks that nobody asked to remove: a failure is only logged. */
  async forget(id: string): Promise<void> {
    try {
      await this.remove(id);
    } catch (err) {
      this.#log.error({ err, task: id }, "the file of a task could not be removed");
    }
  }

  /** Ended tasks are kept up to a limit; those that ended first go. */
  forgetOldest(): void {
    for (const oldest of this.#ended) {
      if (this.#ended.size <= this.#endedLimit) return;
      void this.forget(oldest);
    }
  }

  flush(): Promise<void> {
    return this.#journal.flush();
  }

  /** One counter for all: a task that is removed and added again under its id cannot seem older than it was. */
  #revised(task: Task): LiveTask {
    return Object.freeze({ ...task, revision: ++this.#revision });
  }
}

function stored({ task, storesArguments }: TaskEntry): StoredTask {
  // Revisions count within one process.
  const { revision: _, ...rest } = task;
  const record: StoredTask = rest;
  if (storesArguments) return record;
  delete record.run_args;
  delete record.run_kwargs;
  return record;
}
