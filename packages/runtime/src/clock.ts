/** Time as every package sees it; tests inject a `FakeClock` instead of sleeping. */
export interface Clock {
  /** Wall-clock time in milliseconds since the epoch; may jump when the system clock is set. */
  now(): number;
  /** Milliseconds that never jump; for durations and deadlines. */
  monotonic(): number;
  /** Runs `callback` once after `ms`; the returned function cancels it. */
  after(ms: number, callback: () => void): () => void;
  /** Resolves after `ms`; rejects with `signal.reason` as soon as `signal` is aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** Builds `sleep` from `after`, so that every clock treats aborts the same way. */
export function sleepWith(after: Clock["after"], ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason as Error);
      return;
    }
    const abort = () => {
      cancel();
      reject(signal?.reason as Error);
    };
    const cancel = after(ms, () => {
      signal?.removeEventListener("abort", abort);
      resolve();
    });
    signal?.addEventListener("abort", abort, { once: true });
  });
}

const startTimer: Clock["after"] = (ms, callback) => {
  const timer = setTimeout(callback, Math.max(0, ms));
  return () => clearTimeout(timer);
};

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after: startTimer,
  sleep: (ms, signal) => sleepWith(startTimer, ms, signal),
};

/** UTC ISO-8601 with `Z`, as every time on the wire is written. */
export function timestamp(clock: Clock): string {
  return new Date(clock.now()).toISOString();
}
