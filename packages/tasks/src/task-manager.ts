import { type LiveTask, ScanError } from "@openscan/protocol";
import { type Clock, type Emitter, type Logger, timestamp } from "@openscan/runtime";
import { frozenJson } from "./frozen-json.js";
import { TaskBook, type TaskEvent } from "./task-book.js";
import { defaultLimits, type TaskLimits } from "./task-limits.js";
import * as machine from "./task-machine.js";
import { TaskRun } from "./task-run.js";
import { TaskScheduler } from "./task-scheduler.js";
import type { TaskStore } from "./task-store.js";
import type { Arguments, TaskType } from "./task-type.js";

export interface TaskManagerOptions {
  readonly types: readonly TaskType[];
  readonly store: TaskStore;
  readonly clock: Clock;
  readonly log: Logger;
  readonly newId: () => string;
  readonly limits?: Partial<TaskLimits>;
  /** How long `close` waits for bodies to unwind; default 10 s. */
  readonly shutdownGraceMs?: number;
  /** Longest time between two writes of a progressing task; default 2 s. */
  readonly progressIntervalMs?: number;
}

/** Queues, runs, pauses, cancels, restarts and remembers tasks. */
export class TaskManager {
  readonly #types: Map<string, TaskType>;
  readonly #store: TaskStore;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #newId: () => string;
  readonly #shutdownGraceMs: number;
  readonly #book: TaskBook;
  readonly #scheduler: TaskScheduler;
  #closing: Promise<void> | undefined;

  /** @throws ScanError `invalid` when two types have the same name */
  constructor(options: TaskManagerOptions) {
    const { types, store, clock, log, newId, shutdownGraceMs = 10_000, progressIntervalMs = 2000 } = options;
    this.#types = byName(types);
    this.#store = store;
    this.#clock = clock;
    this.#log = log;
    this.#newId = newId;
    this.#shutdownGraceMs = shutdownGraceMs;
    const limits = { ...defaultLimits, ...options.limits };
    this.#book = new TaskBook({ store, clock, log, progressIntervalMs, endedLimit: limits.ended });
    this.#scheduler = new TaskScheduler({ book: this.#book, clock, log, limits });
  }

  /** The events of each task obey `historyProblem` of `@openscan/tasks/testing`. */
  get events(): Emitter<TaskEvent> {
    return this.#book.events;
  }

  /**
   * Makes one more type known. Call it before `restore`, which ends tasks whose type is unknown.
   *
   * @throws ScanError `invalid` when there is one of this name, unless it is to be replaced
   */
  register(type: TaskType, { replace = false } = {}): void {
    if (!replace && this.#types.has(type.type))
      throw new ScanError("invalid", `there is a task type "${type.type}" already`);
    this.#types.set(type.type, type);
  }

  /**
   * Lists the tasks of the process before and tells of them: who listens already knows of none. None is started. Call
   * it once, before the first `create`.
   */
  async restore(): Promise<void> {
    const tasks = await this.#store.load();
    for (const task of tasks.sort((a, b) => a.created_at.localeCompare(b.created_at))) {
      if (task.status === "completed") {
        void this.#book.forget(task.id);
        continue;
      }
      const given = structuredClone({ args: task.run_args, kwargs: task.run_kwargs });
      const entry = this.#book.add(task, { given, storesArguments: true });
      this.#book.end(entry);
      const now = machine.restored(task, this.#types.has(task.task_type), timestamp(this.#clock));
      if (now === task) this.#book.announce(entry);
      else void this.#book.update(entry, now);
    }
    this.#book.forgetOldest();
    await this.#book.flush();
  }

  /**
   * Queues a task and starts it if it may start now. Resolves with its newest record once one is on the disk.
   *
   * @throws ScanError `not_found` for an unknown type, `invalid` for wrong arguments, `busy` when the queue is
   *   full, `offline` during shutdown; nothing has then been created
   */
  async create(type: string, args: unknown[] = [], kwargs: Record<string, unknown> = {}): Promise<LiveTask> {
    const definition = this.#type(type);
    const body = definition.prepare(args, kwargs);
    this.#scheduler.checkRoom(definition);
    const shown = presentable(definition.redact(args, kwargs));
    const task = machine.created({
      id: this.#newId(),
      name: type,
      is_exclusive: definition.concurrency === "exclusive",
      is_blocking: definition.concurrency === "worker",
      created_at: timestamp(this.#clock),
      run_args: shown?.args ?? [],
      run_kwargs: shown?.kwargs ?? {},
    });
    const entry = this.#book.add(task, { given: { args, kwargs }, storesArguments: shown !== undefined });
    await this.#scheduler.enqueue(entry, task, new TaskRun(task.id, definition, () => body));
    return entry.task;
  }

  get(id: string): LiveTask | undefined {
    return this.#book.get(id)?.task;
  }

  /** Whether its body is at work, be it only to clean up after a cancel. */
  isWorking(id: string): boolean {
    const entry = this.#book.get(id);
    return entry?.run !== undefined && entry.task.status !== "pending";
  }

  /** In the order of creation. */
  list(): LiveTask[] {
    return this.#book.all().map(({ task }) => task);
  }

  /**
   * Ends a task that has not ended; any other is returned unchanged. A running one is `cancelled` at once and gets
   * its `completed_at` when its body has unwound.
   *
   * @throws ScanError `not_found`, as `pause`, `resume`, `restart` and `ended` do for an unknown id
   */
  cancel(id: string): LiveTask {
    return this.#scheduler.cancel(this.#book.find(id), new ScanError("cancelled", "Task cancelled by user."));
  }

  /**
   * Holds a running task at its next checkpoint or progress. One that has paused itself looks as before but does not go
   * on by itself any more; any other is returned unchanged.
   */
  pause(id: string): LiveTask {
    const entry = this.#book.find(id);
    if (entry.task.status === "paused") entry.run?.gate.close("user");
    if (entry.task.status !== "running") return entry.task;
    entry.run?.gate.close("user");
    void this.#book.update(entry, machine.paused(entry.task));
    return entry.task;
  }

  /** Lets a paused task go on and restarts an interrupted one; any other is returned unchanged. */
  resume(id: string): LiveTask {
    const entry = this.#book.find(id);
    if (entry.task.status === "interrupted") return this.restart(id);
    if (entry.task.status !== "paused") return entry.task;
    entry.run?.gate.open();
    void this.#book.update(entry, machine.resumed(entry.task));
    return entry.task;
  }

  /**
   * Queues a cancelled, failed or interrupted task again, from its start; any other is returned unchanged. Arguments
   * that are no longer valid end the task in `error`.
   *
   * @throws ScanError `conflict` while its body still unwinds, `not_found`, `busy` and `offline` as `create`
   */
  restart(id: string): LiveTask {
    const entry = this.#book.find(id);
    const { task, given, run } = entry;
    if (!machine.isStopped(task)) return task;
    if (run) throw new ScanError("conflict", `task ${id} is still stopping`);
    const type = this.#type(task.task_type);
    this.#scheduler.checkRoom(type);
    const again = new TaskRun(id, type, () => type.prepare(given.args, given.kwargs));
    void this.#scheduler.enqueue(entry, machine.restarted(task), again);
    return entry.task;
  }

  /**
   * Removes an ended task from memory and disk; an unknown one is no error.
   *
   * @throws ScanError `conflict` for a task that is queued, runs or unwinds, `storage` when its file remains
   */
  async delete(id: string): Promise<void> {
    const entry = this.#book.get(id);
    if (entry?.run) throw new ScanError("conflict", `task ${id} has not ended: it is ${entry.task.status}`);
    try {
      await this.#book.remove(id);
    } catch (cause) {
      throw new ScanError("storage", `the file of task ${id} could not be removed`, { cause });
    }
  }

  /** Resolves when the task has ended and its body has unwound; rejects with `signal.reason` on abort. */
  async ended(id: string, signal?: AbortSignal): Promise<LiveTask> {
    const { task, run } = this.#book.find(id);
    if (!run) return task;
    signal?.throwIfAborted();
    let abort = () => {};
    const aborted = new Promise<never>((_, reject) => {
      abort = () => reject(signal?.reason as Error);
      signal?.addEventListener("abort", abort, { once: true });
    });
    try {
      return await Promise.race([run.ended, aborted]);
    } finally {
      signal?.removeEventListener("abort", abort);
    }
  }

  /** Interrupts everything, waits for the bodies, but not for ever, and writes what is not on the disk yet. */
  close(): Promise<void> {
    this.#scheduler.close();
    this.#closing ??= this.#shutDown();
    return this.#closing;
  }

  async #shutDown(): Promise<void> {
    const stopping = this.#book.all().flatMap(({ run }) => run?.ended ?? []);
    for (const entry of this.#book.all()) this.#scheduler.interrupt(entry);
    const patience = new AbortController();
    const timeout = this.#clock.sleep(this.#shutdownGraceMs, patience.signal).catch(() => {});
    await Promise.race([Promise.all(stopping), timeout]);
    patience.abort();
    for (const { task, run } of this.#book.all()) {
      if (run) this.#log.warn({ task: task.id, type: task.task_type }, "a task did not stop in time");
    }
    await this.#book.flush();
  }

  #type(name: string): TaskType {
    const type = this.#types.get(name);
    if (!type) throw new ScanError("not_found", `task type "${name}" is not registered`);
    return type;
  }
}

function byName(types: readonly TaskType[]): Map<string, TaskType> {
  const named = new Map<string, TaskType>();
  for (const type of types) {
    if (named.has(type.type)) throw new ScanError("invalid", `task type "${type.type}" is given twice`);
    named.set(type.type, type);
  }
  return named;
}

/** Arguments as they can be shown and stored, or nothing when they have no JSON form. */
function presentable(given: Arguments): Arguments | undefined {
  try {
    return frozenJson(given) as Arguments;
  } catch {
    return;
  }
}
