import type { ConnectionError } from "./connection-error.js";

const SHORTEST_MS = 500;
const LONGEST_MS = 20_000;
const STABLE_MS = 30_000;

/**
 * Full jitter: anywhere between nothing and a limit that doubles from 0.5 s to 20 s, so that clients which a
 * restart threw off together do not come back together.
 */
export function backOff(failures: number, random: () => number): number {
  return random() * Math.min(LONGEST_MS, SHORTEST_MS * 2 ** failures);
}

/** How long to wait after each lost connection. */
export class ReconnectDelay {
  #failures = 0;
  readonly #random: () => number;

  constructor(random: () => number) {
    this.#random = random;
  }

  /**
   * @param liveMs how long the connection had delivered; `undefined` when it never came to that. Only a
   *   connection that held for 30 s proves that the trouble is over.
   */
  after(error: ConnectionError, liveMs: number | undefined): number {
    if (liveMs !== undefined && liveMs >= STABLE_MS) this.#failures = 0;
    const failures = this.#failures++;
    // Only once per live moment: a server that always says "resync" must not cause a busy loop.
    if (error.resync && liveMs !== undefined) return 0;
    if (error.retryAfterMs !== undefined) return error.retryAfterMs + backOff(0, this.#random);
    return backOff(failures, this.#random);
  }
}
