import type { Clock } from "@openscan/runtime";

/** Like `promise`, but rejects with `signal.reason` as soon as `signal` is aborted. What was begun goes on. */
export function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise;
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason as Error);
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}

/**
 * Waits for `promise`, but no longer than `ms`.
 *
 * @returns whether it ended in time, well or not
 */
export async function endsWithin(
  promise: Promise<unknown>,
  { clock, ms, signal }: { clock: Clock; ms: number; signal?: AbortSignal | undefined },
): Promise<boolean> {
  let ended = false;
  const patience = new AbortController();
  const end = () => {
    ended = true;
    patience.abort();
  };
  promise.then(end, end);
  const stop = AbortSignal.any(signal ? [signal, patience.signal] : [patience.signal]);
  await clock.sleep(ms, stop).catch(() => {});
  signal?.throwIfAborted();
  return ended;
}
