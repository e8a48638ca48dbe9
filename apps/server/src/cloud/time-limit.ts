import type { Clock } from "@openscan/runtime";

/** Ends what takes too long: its signal is aborted when nothing has called `restart` for a while. */
export class TimeLimit {
  readonly #clock: Clock;
  readonly #ms: number;
  readonly #abort = new AbortController();
  #cancel = () => {};

  constructor(clock: Clock, ms: number) {
    this.#clock = clock;
    this.#ms = ms;
    this.restart();
  }

  /** Aborted when the time is over. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  get isOver(): boolean {
    return this.#abort.signal.aborted;
  }

  restart(): void {
    this.#cancel();
    this.#cancel = this.#clock.after(this.#ms, () => this.#abort.abort(new Error("the time is over")));
  }

  /** From now on time does not count, until the next `restart`. */
  stop(): void {
    this.#cancel();
  }
}
