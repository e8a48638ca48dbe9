import type { TaskProgress } from "@openscan/protocol";
import type { Clock, Logger } from "@openscan/runtime";
import { progressDue } from "./progress-due.js";
import type { StoredTask, TaskStore } from "./task-store.js";

/** A write that has not begun; later records of its task take the place of this one. */
interface Write {
  /** Nothing once the task has been removed. */
  task: StoredTask | undefined;
  readonly done: Promise<void>;
}

interface Page {
  queued: Write | undefined;
  /** Settles, always well, when everything so far is on the disk or given up. */
  last: Promise<void>;
  written: { readonly progress: TaskProgress; readonly at: number } | undefined;
}

/** Keeps the store up to date: the writes of one task are ordered and coalesced, a failed one is only logged. */
export class TaskJournal {
  readonly #store: TaskStore;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #intervalMs: number;
  readonly #pages = new Map<string, Page>();

  constructor(options: { store: TaskStore; clock: Clock; log: Logger; intervalMs: number }) {
    this.#store = options.store;
    this.#clock = options.clock;
    this.#log = options.log;
    this.#intervalMs = options.intervalMs;
  }

  /** Resolves when this record or a later one of the task has been written, or the write has failed. */
  write(task: StoredTask): Promise<void> {
    const page = this.#page(task.id);
    page.written = { progress: task.progress, at: this.#clock.monotonic() };
    if (page.queued) {
      page.queued.task = task;
      return page.queued.done;
    }
    const save = () => {
      if (page.queued === write) page.queued = undefined;
      return this.#save(write.task);
    };
    const write: Write = { task, done: page.last.then(save) };
    page.queued = write;
    page.last = write.done;
    return write.done;
  }

  /** Writes if the progress differs enough from what was written last. */
  writeProgress(task: StoredTask): void {
    const written = this.#page(task.id).written;
    const last = written && { progress: written.progress, ageMs: this.#clock.monotonic() - written.at };
    if (progressDue(task.progress, last, this.#intervalMs)) void this.write(task);
  }

  /** @throws the error of the store */
  remove(id: string): Promise<void> {
    const page = this.#page(id);
    if (page.queued) page.queued.task = undefined;
    page.queued = undefined;
    const removal = page.last.then(() => this.#store.remove(id));
    const last = removal
      .catch(() => {})
      .then(() => {
        if (page.last === last) this.#pages.delete(id);
      });
    page.last = last;
    return removal;
  }

  async flush(): Promise<void> {
    await Promise.all([...this.#pages.values()].map(({ last }) => last));
  }

  #page(id: string): Page {
    const known = this.#pages.get(id);
    if (known) return known;
    const page: Page = { queued: undefined, last: Promise.resolve(), written: undefined };
    this.#pages.set(id, page);
    return page;
  }

  async #save(task: StoredTask | undefined): Promise<void> {
    if (!task) return;
    try {
      await this.#store.save(task);
    } catch (err) {
      this.#log.error({ err, task: task.id, status: task.status }, "a task could not be stored");
    }
  }
}
