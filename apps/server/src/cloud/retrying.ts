import type { Clock, Logger } from "@openscan/runtime";
import { CloudError } from "./cloud-error.js";

/** Two minutes in all: what lasts longer is no hiccup, and somebody should hear of it. */
const delaysMs = [1000, 2000, 4000, 8000, 16_000, 30_000, 60_000];

interface RetryOptions {
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly log: Logger;
  /** Whether the last attempt has come further than the one before; failures are then counted anew. */
  readonly hasAdvanced?: () => boolean;
}

/** Tries again, ever more patiently, what failed for a reason that may pass. */
export async function retrying<T>(
  attempt: () => Promise<T>,
  { signal, clock, log, hasAdvanced = () => false }: RetryOptions,
): Promise<T> {
  for (let failures = 0; ; ) {
    try {
      return await attempt();
    } catch (error) {
      signal.throwIfAborted();
      failures = hasAdvanced() ? 1 : failures + 1;
      const delayMs = delaysMs[failures - 1];
      if (!(error instanceof CloudError && error.isTransient) || delayMs === undefined) throw error;
      log.warn({ problem: error.message, delayMs }, "the cloud failed, trying again");
      await clock.sleep(delayMs, signal);
    }
  }
}
