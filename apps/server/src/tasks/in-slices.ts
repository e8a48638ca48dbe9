import { setImmediate as turn } from "node:timers/promises";
import type { Clock } from "@openscan/runtime";

/** Long enough to be worth a turn, short enough that no request notices. */
const SLICE_MS = 4;

/**
 * Runs work that yields now and then, and lets the process do everything else in between: requests, heartbeats, motors.
 *
 * @throws what the work throws; `signal.reason`
 */
export async function inSlices<T>(
  work: Generator<void, T, void>,
  { clock, signal }: { readonly clock: Clock; readonly signal?: AbortSignal },
): Promise<T> {
  for (;;) {
    signal?.throwIfAborted();
    const start = clock.monotonic();
    do {
      const { done, value } = work.next();
      if (done) return value;
    } while (clock.monotonic() - start < SLICE_MS);
    await turn();
  }
}
