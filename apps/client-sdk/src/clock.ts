/* oxlint-disable no-restricted-globals, no-restricted-properties -- the SDK brings its own clock: it has no dependency */

/** Time as the client sees it; tests give their own. */
export interface ClientClock {
  /** Milliseconds since the epoch: it goes on while a computer sleeps, which a dead connection is known by. */
  now(): number;
  /** Runs `callback` once after `ms`; the returned function cancels it. */
  after(ms: number, callback: () => void): () => void;
}

export const systemClock: ClientClock = {
  now: () => Date.now(),
  after(ms, callback) {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
};

export const systemRandom: () => number = Math.random;
