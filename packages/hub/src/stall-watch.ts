import type { Clock } from "@openscan/runtime";
import type { HubTcpSocket } from "./hub-socket.js";

const sampleMs = 1_000;
const stallMs = 10_000;

/**
 * Calls `stalled` once the kernel has taken none of the socket's pending bytes for 10 s, or `free` once none are
 * pending any more. It samples once a second; progress shows when a write completes, not within one.
 *
 * @returns ends the watch
 */
export function watchForStall(
  clock: Clock,
  tcp: HubTcpSocket,
  on: { readonly stalled: () => void; readonly free: () => void },
): () => void {
  // `bytesWritten` also counts the bytes that still wait in Node.
  const taken = () => tcp.bytesWritten - tcp.writableLength;
  let lastTaken = taken();
  let since = clock.monotonic();
  const look = () => {
    const now = clock.monotonic();
    if (taken() > lastTaken) {
      lastTaken = taken();
      since = now;
    }
    if (tcp.writableLength === 0) on.free();
    else if (now - since >= stallMs) on.stalled();
    else cancel = clock.after(sampleMs, look);
  };
  let cancel = clock.after(sampleMs, look);
  return () => cancel();
}
