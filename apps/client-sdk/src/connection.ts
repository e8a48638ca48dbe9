import type { ClientClock } from "./clock.js";
import { closedError, ConnectionError } from "./connection-error.js";
import { onPageWake } from "./page.js";
import type { SocketConstructor, SocketLike } from "./web-socket.js";

const OPEN_TIMEOUT_MS = 8000;
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

/**
 * One socket. It is lost with a close frame, by `fail`, after 8 s without an answer, and after two and a half
 * heartbeats of silence, which is how a vanished peer is noticed.
 *
 * @throws ConnectionError (final) when the runtime refuses the URL, e.g. `ws:` from an `https:` page
 */
export class Connection {
  readonly #options: ConnectionOptions;
  readonly #socket: SocketLike;
  #heardAt: number;
  #quietMs = OPEN_TIMEOUT_MS;
  #patienceMs = OPEN_TIMEOUT_MS;
  #ended = false;
  #cancelTimer = () => {};
  readonly #stopWatchingPage: () => void;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#socket = create(options);
    this.#heardAt = options.clock.now();
    this.#listen();
    this.#stopWatchingPage = onPageWake(() => this.#check());
    this.#check();
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** The longest silence of a healthy server. */
  expectHeartbeat(ms: number): void {
    this.#quietMs = ms * 1.25;
    this.#patienceMs = ms * 2.5;
    this.#check();
  }

  send(text: string): void {
    this.#socket.send(text);
  }

  /** Ends it without a further call. */
  close(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#cancelTimer();
    this.#stopWatchingPage();
    this.#socket.close(1000);
  }

  fail(error: ConnectionError): void {
    if (this.#ended) return;
    this.close();
    this.#options.onLost(error);
  }

  #listen(): void {
    const { url, clock, onOpen, onMessage } = this.#options;
    const socket = this.#socket;
    socket.addEventListener("open", () => {
      if (this.#ended) return;
      this.#heardAt = clock.now();
      this.expectHeartbeat(HEARTBEAT_MS);
      onOpen(this);
    });
    socket.addEventListener("message", ({ data }) => {
      if (this.#ended) return;
      this.#heardAt = clock.now();
      onMessage(data);
    });
    // A `close` always follows; without a listener some implementations throw.
    socket.addEventListener("error", () => {});
    socket.addEventListener("close", ({ code, reason }) => this.fail(closedError(url, code, reason)));
  }

  #check(): void {
    const { url, clock, onQuiet } = this.#options;
    if (this.#ended) return;
    const now = clock.now();
    if (now < this.#heardAt) this.#heardAt = now; // the system clock was set back
    const silentMs = now - this.#heardAt;
    this.#cancelTimer();
    if (silentMs >= this.#patienceMs) {
      this.fail(new ConnectionError(`${url} was silent for ${silentMs} ms`));
      // A closing handshake would wait for a peer that no longer answers.
      this.#socket.terminate?.();
      return;
    }
    const quiet = silentMs >= this.#quietMs;
    this.#cancelTimer = clock.after((quiet ? this.#patienceMs : this.#quietMs) - silentMs, () =>
      this.#check(),
    );
    if (quiet) onQuiet();
  }
}

function create({ url, protocols, WebSocket }: ConnectionOptions): SocketLike {
  try {
    return new WebSocket(url, protocols);
  } catch (cause) {
    throw new ConnectionError(`${url} cannot be opened: ${String(cause)}`, { final: true, cause });
  }
}
