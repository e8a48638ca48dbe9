import type { TaskContext } from "@openscan/tasks";
import { diskTrouble } from "../projects/disk-trouble.js";

/** How often what could not be written is tried again while nobody resumes the task. */
const RETRY_MS = 5000;

export interface PatientDiskOptions {
  readonly context: TaskContext;
  /** Folder that is written to. */
  readonly folder: string;
  /** Told why the task was paused. */
  readonly paused: (reason: string) => void;
}

/**
 * Writes for a task. What the disk refuses because it is full or read-only pauses the task, and is tried again until it
 * succeeds: then the task goes on by itself. Nothing that was to be written is lost meanwhile.
 */
export class PatientDisk {
  readonly #options: PatientDiskOptions;
  /** Writes that wait for the disk. */
  #refused = 0;
  /** Settles when somebody resumes the task. */
  #resumption: Promise<void> | undefined;

  constructor(options: PatientDiskOptions) {
    this.#options = options;
  }

  /** @param write may be called several times. @throws what else it throws; the reason of an abort */
  async write<T>(write: () => Promise<T>): Promise<T> {
    let waits = false;
    try {
      for (;;) {
        try {
          return await write();
        } catch (error) {
          const { context, folder, paused } = this.#options;
          const trouble = await diskTrouble(error, folder);
          if (trouble === undefined) throw error;
          context.signal.throwIfAborted();
          if (!waits) this.#refused++;
          waits = true;
          const why = `${trouble} The scan then goes on.`;
          if (context.pause(why)) paused(why);
          await this.#someTime();
        }
      }
    } finally {
      if (waits && --this.#refused === 0) this.#options.context.resume();
    }
  }

  /** Until it is worth to try again: after a while, or when somebody resumes the task. */
  async #someTime(): Promise<void> {
    const { clock, signal, checkpoint } = this.#options.context;
    this.#resumption ??= checkpoint().finally(() => {
      this.#resumption = undefined;
    });
    const either = new AbortController();
    const later = clock.sleep(RETRY_MS, either.signal).catch(() => {});
    await Promise.race([later, this.#resumption]).finally(() => either.abort());
    signal.throwIfAborted();
  }
}
