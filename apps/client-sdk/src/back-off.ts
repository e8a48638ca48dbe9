import type { ConnectionError } from "./connection-error.js";

const SHORTEST_MS = 500;
const LONGEST_MS = 20_000;
const RESYNC = 4009;

/**
 * Full jitter: anywhere between nothing and a limit that doubles from 0.5 s to 20 s, so that clients which a
 * restart threw off together do not come back together.
 */
export function backOff(failures: number, random: () => number): number {
  return random() * Math.min(LONGEST_MS, SHORTEST_MS * 2 ** failures);
}

/** How long to wait after a connection was lost; `live` when it had come to deliver something. */
export function reconnectDelay(
  error: ConnectionError,
  live: boolean,
  failures: number,
  random: () => number,
): number {
  // Only once per live moment: a server that always says "resync" must not cause a busy loop.
  if (live && (error.gap || error.closeCode === RESYNC)) return 0;
  return error.retryAfterMs === undefined
    ? backOff(failures, random)
    : error.retryAfterMs + backOff(0, random);
}
