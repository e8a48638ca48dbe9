import type { Clock } from "@openscan/runtime";

const maxFailures = 10;
const windowMs = 60_000;
const maxAddresses = 1000;

interface Window {
  readonly failures: number;
  readonly endsAt: number;
}

/** Counts wrong tokens per address: whoever sent ten has to wait for the end of the minute, and nobody else has to. */
export class Failures {
  readonly #clock: Clock;
  /** The address that failed last comes last. */
  readonly #windows = new Map<string, Window>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Addresses that are remembered. */
  get size(): number {
    return this.#windows.size;
  }

  /** How long this address has to wait; 0 when it may try. */
  waitMs(address: string): number {
    const window = this.#current(address);
    return window && window.failures >= maxFailures ? window.endsAt - this.#clock.monotonic() : 0;
  }

  count(address: string): void {
    const window = this.#current(address);
    this.#windows.delete(address);
    for (const oldest of this.#windows.keys()) {
      if (this.#windows.size < maxAddresses) break;
      this.#windows.delete(oldest);
    }
    this.#windows.set(address, {
      failures: (window?.failures ?? 0) + 1,
      endsAt: window?.endsAt ?? this.#clock.monotonic() + windowMs,
    });
  }

  #current(address: string): Window | undefined {
    const window = this.#windows.get(address);
    return window && window.endsAt > this.#clock.monotonic() ? window : undefined;
  }
}
