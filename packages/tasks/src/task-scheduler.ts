import { type LiveTask, ScanError, type Task, type TaskProgress } from "@openscan/protocol";
import { type Clock, type Logger, timestamp } from "@openscan/runtime";
import { Lane } from "./lane.js";
import { runBody } from "./run-body.js";
import type { TaskBook, TaskEntry } from "./task-book.js";
import { TaskInterrupted } from "./task-interrupted.js";
import type { TaskLimits } from "./task-limits.js";
import * as machine from "./task-machine.js";
import { TaskPreempted } from "./task-preempted.js";
import type { TaskRun } from "./task-run.js";
import type { LaneName, TaskContext, TaskType } from "./task-type.js";

/** Decides when a task runs, and runs it. */
export class TaskScheduler {
  readonly #book: TaskBook;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #limits: TaskLimits;
  readonly #lanes: Readonly<Record<LaneName, Lane<TaskRun>>>;
  #closed = false;

  constructor(options: { book: TaskBook; clock: Clock; log: Logger; limits: TaskLimits }) {
    const { book, clock, log, limits } = options;
    this.#book = book;
    this.#clock = clock;
    this.#log = log;
    this.#limits = limits;
    this.#lanes = {
      scanner: new Lane(limits),
      network: new Lane(limits),
      processor: new Lane({ ...limits, concurrent: 1, worker: 1 }),
    };
  }

  /** From now on nothing is started. */
  close(): void {
    this.#closed = true;
  }

  /** @throws ScanError `offline` during shutdown, `busy` when the queue is full */
  checkRoom({ lane }: TaskType): void {
    if (this.#closed) throw new ScanError("offline", "no task can start: the process is shutting down");
    const { length } = this.#lanes[lane].waiting;
    if (length < this.#limits.waiting) return;
    throw new ScanError("busy", `${length} tasks already wait in the ${lane} lane`);
  }

  /** The only way into a queue: always its tail, after which heads are started as far as they may. */
  enqueue(entry: TaskEntry, task: Task, run: TaskRun): Promise<void> {
    this.#book.begin(entry, run);
    this.#lanes[run.type.lane].join(run);
    const written = this.#book.update(entry, task);
    if (run.concurrency === "exclusive") this.#preempt(run);
    this.#pump(run.type.lane);
    return written;
  }

  /** Ends a task that has not ended; any other is returned unchanged. */
  cancel(entry: TaskEntry, reason: ScanError): LiveTask {
    const { task, run } = entry;
    if (!run || task.status === "cancelled" || task.status === "interrupted") return task;
    if (task.status === "pending") {
      this.#settle(entry, run, machine.cancelled(task, reason.message, timestamp(this.#clock)));
      return entry.task;
    }
    void this.#book.update(entry, machine.cancelled(task, reason.message, null));
    run.abort(reason);
    return entry.task;
  }

  /** As `cancel`, for a shutdown: what was interrupted may be started again by the next process. */
  interrupt(entry: TaskEntry): void {
    const { run, task } = entry;
    if (!run || task.status === "cancelled") return;
    if (task.status === "pending") {
      this.#settle(entry, run, machine.interrupted(task));
      return;
    }
    void this.#book.update(entry, machine.interrupted(task));
    run.abort(new TaskInterrupted());
  }

  /** An endless task would keep an exclusive one waiting for ever, whether it runs or is queued before it. */
  #preempt(by: TaskRun): void {
    const { running, waiting } = this.#lanes[by.type.lane];
    for (const run of [...running, ...waiting]) {
      const entry = this.#book.get(run.id);
      if (run === by || !run.type.preemptible || entry?.run !== run) continue;
      this.cancel(entry, new TaskPreempted(by.type.type));
    }
  }

  #pump(name: LaneName): void {
    const lane = this.#lanes[name];
    while (!this.#closed) {
      const run = lane.startNext();
      if (!run) return;
      const entry = this.#book.find(run.id);
      void this.#book.update(entry, machine.started(entry.task, timestamp(this.#clock)));
      void this.#execute(entry, run);
    }
  }

  async #execute(entry: TaskEntry, run: TaskRun): Promise<void> {
    const outcome = await this.#outcome(entry, run);
    const task = machine.concluded(entry.task, outcome, timestamp(this.#clock));
    if (task.status === "error") {
      const err = "error" in outcome ? outcome.error : task.error;
      this.#log.error({ task: run.id, type: run.type.type, err }, "a task failed");
    }
    this.#settle(entry, run, task);
  }

  /** Runs a body to its end. Never rejects: whatever a body does, its slot must become free. */
  async #outcome(entry: TaskEntry, run: TaskRun): Promise<machine.Outcome> {
    try {
      const body = run.open(this.#context(entry, run));
      return { result: await runBody(body, run.signal, (progress) => this.#report(entry, run, progress)) };
    } catch (cause) {
      if (run.signal.aborted && cause !== run.signal.reason) {
        this.#log.warn({ err: cause, task: run.id }, "a task failed while it was being stopped");
      }
      return { error: cause };
    }
  }

  /** While a task is paused its progress is held back, and with it the body, which waits at its `yield`. */
  async #report(entry: TaskEntry, run: TaskRun, progress: TaskProgress): Promise<void> {
    while (run.gate.holds) await run.gate.pass();
    run.signal.throwIfAborted();
    this.#book.report(entry, progress);
  }

  /**
   * Ends a run: the slot is free before anybody hears of the end, so that a listener may delete or restart the task,
   * and the queue is examined after every end, a cancel of a queued task included.
   */
  #settle(entry: TaskEntry, run: TaskRun, task: Task): void {
    this.#lanes[run.type.lane].leave(run);
    this.#book.end(entry);
    if (task !== entry.task) void this.#book.update(entry, task);
    run.end(entry.task);
    this.#book.forgetOldest();
    this.#pump(run.type.lane);
  }

  #pauseItself(entry: TaskEntry, run: TaskRun, reason: string): boolean {
    if (entry.run !== run || entry.task.status !== "running") return false;
    run.gate.close("body");
    this.#log.warn({ task: run.id, type: run.type.type, reason }, "a task paused itself");
    void this.#book.update(entry, machine.paused(entry.task, reason));
    return true;
  }

  #resumeItself(entry: TaskEntry, run: TaskRun): void {
    if (entry.run !== run || entry.task.status !== "paused" || run.gate.holder !== "body") return;
    run.gate.open();
    void this.#book.update(entry, machine.resumed(entry.task));
  }

  #context(entry: TaskEntry, run: TaskRun): TaskContext {
    return {
      id: run.id,
      signal: run.signal,
      get progress() {
        return entry.task.progress;
      },
      checkpoint: () => run.gate.pass(),
      pause: (reason) => this.#pauseItself(entry, run, reason),
      resume: () => this.#resumeItself(entry, run),
      log: this.#log.child({ task: run.id, type: run.type.type }),
      clock: this.#clock,
    };
  }
}
