import type { Clock } from "@openscan/runtime";

/** By what a camera multiplies red and blue; green is 1. */
export interface WhiteBalance {
  readonly red: number;
  readonly blue: number;
}

export interface WhiteBalanceSearch {
  /** Frames that are not looked at: automatic exposure and white balance start with them. */
  readonly warmupFrames: number;
  /** Frames in a row from one to the next of which neither gain changes by `eps`. */
  readonly stableFrames: number;
  readonly eps: number;
  /** When this is over the last gains are taken as they are. */
  readonly timeoutMs: number;
}

/**
 * Watches a camera's automatic white balance until it rests.
 *
 * @param nextFrame takes a frame and tells the gains of it; undefined when it shows too little
 * @returns undefined when there were no gains in time
 */
export async function settledWhiteBalance(
  nextFrame: () => Promise<WhiteBalance | undefined>,
  { warmupFrames, stableFrames, eps, timeoutMs }: WhiteBalanceSearch,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<WhiteBalance | undefined> {
  const end = clock.monotonic() + timeoutMs;
  let last: WhiteBalance | undefined;
  let stable = 0;
  for (let frame = 0; clock.monotonic() < end; frame++) {
    signal.throwIfAborted();
    const gains = await nextFrame();
    const isSteady = gains !== undefined && last !== undefined && distance(gains, last) < eps;
    stable = isSteady && frame >= warmupFrames ? stable + 1 : 0;
    last = gains ?? last;
    if (stable >= stableFrames) return last;
  }
  return last;
}

function distance(a: WhiteBalance, b: WhiteBalance): number {
  return Math.max(Math.abs(a.red - b.red), Math.abs(a.blue - b.blue));
}
