import type { Clock } from "@openscan/runtime";

export interface LinkedAbort {
  readonly signal: AbortSignal;
  abort(reason: unknown): void;
  /** To be called when it is not needed any more: the sources forget it. */
  unlink(): void;
}

/**
 * Can be aborted, and is aborted by any of `sources`. (With Node 20 a source keeps something of every
 * `AbortSignal.any` for ever; here sources live as long as the device and previews are many.)
 */
export function abortedBy(...sources: readonly (AbortSignal | undefined)[]): LinkedAbort {
  const controller = new AbortController();
  const undo = sources.map((source) => {
    const relay = () => controller.abort(source?.reason);
    if (source?.aborted) relay();
    source?.addEventListener("abort", relay, { once: true });
    return () => source?.removeEventListener("abort", relay);
  });
  return {
    signal: controller.signal,
    abort: (reason) => controller.abort(reason),
    unlink: () => {
      for (const forget of undo) forget();
    },
  };
}

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
  const patience = abortedBy(signal);
  const end = () => {
    ended = true;
    patience.abort(undefined);
  };
  promise.then(end, end);
  await clock.sleep(ms, patience.signal).catch(() => {});
  patience.unlink();
  signal?.throwIfAborted();
  return ended;
}
