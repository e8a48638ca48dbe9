import { ScanError } from "@openscan/protocol";

/** At most this many requests wait for one component. */
const DEFAULT_LIMIT = 16;

/** Lets one piece of work at a time through, in the order of asking, with a bounded queue. */
export class Lock {
  readonly #name: string;
  readonly #limit: number;
  readonly #waiting: Array<() => void> = [];
  #held = false;

  constructor(name: string, limit: number = DEFAULT_LIMIT) {
    this.#name = name;
    this.#limit = limit;
  }

  /**
   * Runs `work` when all earlier work has ended.
   *
   * @param signal ends the waiting only; work that has begun is not touched
   * @throws ScanError `busy` when too many wait already
   */
  run<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    return this.#run(work, this.#limit, signal);
  }

  /** As `run`, but is never refused: for closing. */
  runAtLast<T>(work: () => Promise<T>): Promise<T> {
    return this.#run(work, Number.POSITIVE_INFINITY);
  }

  async #run<T>(work: () => Promise<T>, limit: number, signal?: AbortSignal): Promise<T> {
    await this.#acquire(limit, signal);
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#held = false;
    }
  }

  async #acquire(limit: number, signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted();
    if (!this.#held) {
      this.#held = true;
      return;
    }
    if (this.#waiting.length >= limit) {
      throw new ScanError("busy", `${this.#name} is busy and ${limit} requests wait already`);
    }
    await new Promise<void>((resolve, reject) => {
      const leave = () => {
        this.#waiting.splice(this.#waiting.indexOf(enter), 1);
        reject(signal?.reason as Error);
      };
      const enter = () => {
        signal?.removeEventListener("abort", leave);
        resolve();
      };
      this.#waiting.push(enter);
      signal?.addEventListener("abort", leave, { once: true });
    });
  }
}
