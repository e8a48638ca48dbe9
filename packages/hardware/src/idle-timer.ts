import type { Clock } from "@openscan/runtime";

/** What timers can wait: 24.8 days. */
const LONGEST_MS = 2 ** 31 - 1;

/** Calls back when nothing has happened for a while; stands still while anything is under way. */
export class IdleTimer {
  readonly #clock: Clock;
  readonly #expired: () => void;
  #timeoutMs = 0;
  #pauses = 0;
  #cancel: (() => void) | undefined;

  constructor(clock: Clock, expired: () => void) {
    this.#clock = clock;
    this.#expired = expired;
  }

  /** Starts to run; 0 s means never. */
  start(timeoutSeconds: number): void {
    this.#timeoutMs = Math.min(LONGEST_MS, timeoutSeconds * 1000);
    this.restart();
  }

  /** Runs from the beginning, unless paused or never started. */
  restart(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    if (this.#timeoutMs > 0 && this.#pauses === 0) {
      this.#cancel = this.#clock.after(this.#timeoutMs, this.#expired);
    }
  }

  /** Stands still until the result was called, by everyone who paused it; then it runs from the beginning. */
  pause(): () => void {
    this.#pauses++;
    this.#cancel?.();
    this.#cancel = undefined;
    let paused = true;
    return () => {
      if (!paused) return;
      paused = false;
      this.#pauses--;
      this.restart();
    };
  }

  stop(): void {
    this.#timeoutMs = 0;
    this.restart();
  }
}
