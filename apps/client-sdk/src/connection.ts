import type { ClientClock } from "./clock.js";
import { closedError, ConnectionError } from "./connection-error.js";
import { onPageWake } from "./page.js";
import type { SocketConstructor } from "./web-socket.js";

/** For each step of coming to a connection. */
export const OPEN_TIMEOUT_MS = 8000;
const HEARTBEAT_MS = 30_000;

export interface ConnectionOptions {
  readonly url: string;
  readonly protocols: string[] | undefined;
  readonly WebSocket: SocketConstructor;
  readonly clock: ClientClock;
  readonly onOpen: (connection: Connection) => void;
  readonly onMessage: (data: unknown) => void;
  /** Nothing was heard for 1.25 heartbeats. */
  readonly onQuiet: () => void;
  /** Called once, for every way in which a connection can end but `close`. */
  readonly onLost: (error: ConnectionError) => void;
}

export interface Connection {
  /** The longest silence of a healthy server. */
  expectHeartbeat(ms: number): void;
  send(text: string): void;
  /** Ends it without a further call. */
  close(): void;
  fail(error: ConnectionError): void;
}

/**
 * One socket. It is lost with a close frame, by `fail`, after 8 s without an answer, and after two and a half
 * heartbeats of silence, which is how a vanished peer is noticed.
 *
 * @throws what the runtime does when it refuses the URL, e.g. `ws:` from an `https:` page
 */
export function openConnection(options: ConnectionOptions): Connection {
  const { url, protocols, WebSocket, clock, onOpen, onMessage, onQuiet, onLost } = options;
  const socket = new WebSocket(url, protocols);
  let heardAt = clock.now();
  let quietMs = OPEN_TIMEOUT_MS;
  let patienceMs = OPEN_TIMEOUT_MS;
  let ended = false;
  let cancelTimer = () => {};

  const close = () => {
    if (ended) return;
    ended = true;
    cancelTimer();
    stopWatchingPage();
    socket.close(1000);
  };
  const fail = (error: ConnectionError) => {
    if (ended) return;
    close();
    onLost(error);
  };
  const check = () => {
    if (ended) return;
    const now = clock.now();
    heardAt = Math.min(heardAt, now); // the system clock may have been set back
    const silentMs = now - heardAt;
    cancelTimer();
    if (silentMs >= patienceMs) {
      fail(new ConnectionError(`${url} was silent for ${silentMs} ms`));
      // A closing handshake would wait for a peer that no longer answers.
      socket.terminate?.();
      return;
    }
    const quiet = silentMs >= quietMs;
    cancelTimer = clock.after((quiet ? patienceMs : quietMs) - silentMs, check);
    if (quiet) onQuiet();
  };
  const connection: Connection = {
    expectHeartbeat(ms) {
      quietMs = ms * 1.25;
      patienceMs = ms * 2.5;
      check();
    },
    send: (text) => socket.send(text),
    close,
    fail,
  };

  socket.addEventListener("open", () => {
    if (ended) return;
    heardAt = clock.now();
    connection.expectHeartbeat(HEARTBEAT_MS);
    onOpen(connection);
  });
  socket.addEventListener("message", ({ data }) => {
    if (ended) return;
    heardAt = clock.now();
    onMessage(data);
  });
  // A `close` always follows; without a listener some implementations throw.
  socket.addEventListener("error", () => {});
  socket.addEventListener("close", ({ code, reason }) => fail(closedError(url, code, reason)));
  const stopWatchingPage = onPageWake(check);
  check();
  return connection;
}
