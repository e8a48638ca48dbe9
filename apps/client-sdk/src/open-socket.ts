import type { ClientClock } from "./clock.js";
import { ConnectionError, closedError } from "./connection-error.js";
import { EventBuffer } from "./event-buffer.js";
import { onPageWake } from "./page.js";
import type { SocketConstructor, SocketLike } from "./web-socket.js";

const OPEN_TIMEOUT_MS = 8000;
const HEARTBEAT_MS = 30_000;
const SILENCE_MS = 2.5 * HEARTBEAT_MS;
/** Messages that may wait for the snapshot. */
const WAITING = 1024;

export interface OpenSocketOptions<T extends object> {
  readonly url: string;
  readonly WebSocket: SocketConstructor;
  readonly clock: ClientClock;
  /** Aborting it closes the socket. */
  readonly signal: AbortSignal;
  /** Turns a message into what the iteration yields; `undefined` is left out. `reply` answers it. */
  readonly read: (data: unknown, reply: (text: string) => void) => T | undefined;
  readonly compact: (items: readonly T[]) => T[];
}

export interface OpenSocket<T extends object> {
  /** Resolves when the server accepted; rejects with why it did not. */
  readonly opened: Promise<void>;
  /** Aborted, with the reason, as soon as the connection is gone. */
  readonly lost: AbortSignal;
  /** What was read, in order, from the first message on; throws `lost.reason` at the end. */
  readonly messages: AsyncIterable<T>;
}

/**
 * A socket as an async iterable. It ends for every way in which a connection can end: a close frame, `signal`,
 * no answer for 8 s, or silence for two and a half heartbeats, which is how a vanished peer is noticed.
 *
 * @throws ConnectionError (final) when the runtime refuses the URL, e.g. `ws:` from an `https:` page
 */
export function openSocket<T extends object>(options: OpenSocketOptions<T>): OpenSocket<T> {
  const { url, clock, signal, read, compact } = options;
  const lost = new AbortController();
  const socket = create(url, options.WebSocket);
  const messages = new EventBuffer<T>({
    limit: WAITING,
    compact,
    onEnd: () => end(new ConnectionError(`${url} sent more than could be read`)),
  });

  let heardAt = clock.now();
  let patienceMs = OPEN_TIMEOUT_MS;
  let cancelTimer = () => {};

  const end = (reason: Error): void => {
    if (lost.signal.aborted) return;
    lost.abort(reason);
    messages.end(reason);
    cancelTimer();
    stopWatchingPage();
    signal.removeEventListener("abort", abort);
    socket.close(1000);
  };
  const abort = () => end(signal.reason as Error);
  const checkSilence = () => {
    const now = clock.now();
    if (now < heardAt) heardAt = now; // the system clock was set back
    const silentMs = now - heardAt;
    cancelTimer();
    if (silentMs < patienceMs) {
      cancelTimer = clock.after(patienceMs - silentMs, checkSilence);
      return;
    }
    end(new ConnectionError(`${url} was silent for ${silentMs} ms`));
    // A closing handshake would wait for a peer that no longer answers.
    socket.terminate?.();
  };
  const stopWatchingPage = onPageWake(checkSilence);

  const opened = new Promise<void>((resolve, reject) => {
    lost.signal.addEventListener("abort", () => reject(lost.signal.reason as Error), { once: true });
    socket.addEventListener("open", () => {
      heardAt = clock.now();
      patienceMs = SILENCE_MS;
      resolve();
    });
  });
  socket.addEventListener("message", ({ data }) => {
    if (lost.signal.aborted) return;
    heardAt = clock.now();
    const item = read(data, (text) => socket.send(text));
    if (item !== undefined) messages.push(item);
  });
  // A `close` always follows; without a listener some implementations throw.
  socket.addEventListener("error", () => {});
  socket.addEventListener("close", ({ code, reason }) => end(closedError(url, code, reason)));

  signal.addEventListener("abort", abort, { once: true });
  checkSilence();
  if (signal.aborted) abort();
  return { opened, lost: lost.signal, messages };
}

function create(url: string, WebSocket: SocketConstructor): SocketLike {
  try {
    return new WebSocket(url);
  } catch (cause) {
    throw new ConnectionError(`${url} cannot be opened: ${String(cause)}`, { final: true, cause });
  }
}
