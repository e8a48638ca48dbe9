import { type Clock, sleepWith, systemClock } from "@openscan/runtime";

interface Held {
  readonly due: number;
  readonly callback: () => void;
}

/** Real time, of which a test can leave some out: timers that wait longer than a test does fire in `skip` alone. */
export class SkippingClock implements Clock {
  readonly #longMs: number;
  readonly #held = new Set<Held>();
  #skippedMs = 0;

  constructor(longMs = 5000) {
    this.#longMs = longMs;
  }

  now(): number {
    return systemClock.now() + this.#skippedMs;
  }

  monotonic(): number {
    return systemClock.monotonic() + this.#skippedMs;
  }

  after(ms: number, callback: () => void): () => void {
    if (ms < this.#longMs) return systemClock.after(ms, callback);
    const held = { due: this.monotonic() + ms, callback };
    this.#held.add(held);
    return () => void this.#held.delete(held);
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return sleepWith((delay, callback) => this.after(delay, callback), ms, signal);
  }

  skip(ms: number): void {
    this.#skippedMs += ms;
    for (const held of [...this.#held].sort((a, b) => a.due - b.due)) {
      if (held.due > this.monotonic() || !this.#held.delete(held)) continue;
      held.callback();
    }
  }
}
