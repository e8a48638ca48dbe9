import { ReconnectDelay } from "./back-off.js";
import type { ClientClock } from "./clock.js";
import { Connection } from "./connection.js";
import { ConnectionError } from "./connection-error.js";
import { onPageWake } from "./page.js";
import { findWebSocket, type SocketConstructor } from "./web-socket.js";

export type TokenSource = () => string | undefined | Promise<string | undefined>;

export interface LinkOptions {
  /** Asked before every attempt. */
  readonly url: () => string;
  readonly token: TokenSource | undefined;
  readonly WebSocket: SocketConstructor | undefined;
  readonly clock: ClientClock;
  readonly random: () => number;
  readonly onOpen: (connection: Connection) => void;
  readonly onMessage: (data: unknown) => void;
  readonly onQuiet: () => void;
  /** A connection is lost or an attempt failed; unless `error.final`, the next attempt follows. */
  readonly onLost: (error: ConnectionError) => void;
}

/** Keeps a connection up from `start` to `stop`: attempts never end, unless the server refuses for good. */
export class Link {
  readonly #options: LinkOptions;
  readonly #delay: ReconnectDelay;
  #running = false;
  /** Whatever is under way is outdated when this has changed. */
  #attempt = 0;
  #connection: Connection | undefined;
  #liveAt: number | undefined;
  #cancelWait = () => {};

  constructor(options: LinkOptions) {
    this.#options = options;
    this.#delay = new ReconnectDelay(options.random);
  }

  start(): void {
    if (this.#running) return;
    this.#running = true;
    this.#connect();
  }

  stop(): void {
    this.#running = false;
    this.#attempt++;
    this.#cancelWait();
    this.#connection?.close();
    this.#connection = undefined;
  }

  /** What was asked of this connection has been delivered. */
  proven(): void {
    this.#liveAt ??= this.#options.clock.now();
  }

  #connect(): void {
    const { token, WebSocket } = this.#options;
    this.#cancelWait();
    const attempt = ++this.#attempt;
    this.#liveAt = undefined;
    // Where nothing has to be waited for nothing is: the caller sees the attempt begin.
    if (WebSocket && !token) return this.#open(WebSocket);
    const current = () => attempt === this.#attempt;
    Promise.resolve()
      .then(() => Promise.all([WebSocket ?? findWebSocket(), token?.()]))
      .then(
        (found) => current() && this.#open(...found),
        (cause: unknown) => current() && this.#lost(asConnectionError(cause)),
      );
  }

  #open(WebSocket: SocketConstructor, token?: string): void {
    const { url, clock, onOpen, onMessage, onQuiet } = this.#options;
    try {
      this.#connection = new Connection({
        url: url(),
        // Without a token none: a server that echoes no name would make browsers close the connection.
        protocols: token === undefined ? undefined : ["openscan.v1", `openscan.bearer.${base64url(token)}`],
        WebSocket,
        clock,
        onOpen,
        onMessage,
        onQuiet,
        onLost: (error) => this.#lost(error),
      });
    } catch (error) {
      this.#lost(asConnectionError(error));
    }
  }

  #lost(error: ConnectionError): void {
    const { clock, onLost } = this.#options;
    const attempt = this.#attempt;
    const liveMs = this.#liveAt === undefined ? undefined : clock.now() - this.#liveAt;
    const delayMs = this.#delay.after(error, liveMs);
    this.#connection = undefined;
    onLost(error);
    if (attempt !== this.#attempt || error.final) return;
    const retry = () => this.#connect();
    const cancelTimer = clock.after(delayMs, retry);
    // A page that wakes up does not wait any longer.
    const stopWatchingPage = onPageWake(({ type }) => type !== "offline" && retry());
    this.#cancelWait = () => {
      cancelTimer();
      stopWatchingPage();
    };
  }
}

function asConnectionError(cause: unknown): ConnectionError {
  if (cause instanceof ConnectionError) return cause;
  return new ConnectionError(`no connection was tried: ${String(cause)}`, { cause });
}

function base64url(text: string): string {
  const bytes = String.fromCharCode(...new TextEncoder().encode(text));
  return btoa(bytes).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}
