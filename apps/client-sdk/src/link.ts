import { reconnectDelay } from "./back-off.js";
import type { ClientClock } from "./clock.js";
import { type Connection, openConnection } from "./connection.js";
import { ConnectionError } from "./connection-error.js";
import { onPageWake } from "./page.js";
import type { TimelyToken } from "./token.js";
import { findWebSocket, type SocketConstructor } from "./web-socket.js";

const STABLE_MS = 30_000;

export interface LinkOptions {
  /** Asked before every attempt. */
  readonly url: () => string;
  readonly token: TimelyToken | undefined;
  readonly WebSocket?: SocketConstructor;
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
  #running = false;
  #failures = 0;
  /** Whatever is under way is outdated when this has changed. */
  #attempt = 0;
  #connection: Connection | undefined;
  #liveAt: number | undefined;
  #cancelWait = () => {};

  constructor(options: LinkOptions) {
    this.#options = options;
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
    Promise.all([WebSocket ?? findWebSocket(), token?.()]).then(
      (found) => current() && this.#open(...found),
      (cause: unknown) => current() && this.#failed(cause, false),
    );
  }

  #open(WebSocket: SocketConstructor, token?: string): void {
    try {
      this.#connection = openConnection({
        ...this.#options,
        url: this.#options.url(),
        // Without a token none: a server that echoes no name would make browsers close the connection.
        protocols: token ? ["openscan.v1", `openscan.bearer.${base64url(token)}`] : undefined,
        WebSocket,
        onLost: (error) => this.#lost(error),
      });
    } catch (error) {
      this.#failed(error, true);
    }
  }

  #failed(cause: unknown, final: boolean): void {
    const message = `cannot connect: ${String(cause)}`;
    this.#lost(cause instanceof ConnectionError ? cause : new ConnectionError(message, { final, cause }));
  }

  #lost(error: ConnectionError): void {
    const { clock, random, onLost } = this.#options;
    const attempt = this.#attempt;
    // Only a connection that held proves that the trouble is over.
    if (clock.now() - (this.#liveAt ?? Infinity) >= STABLE_MS) this.#failures = 0;
    const delayMs = reconnectDelay(error, this.#liveAt !== undefined, this.#failures++, random);
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

function base64url(text: string): string {
  const bytes = String.fromCharCode(...new TextEncoder().encode(text));
  return btoa(bytes).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}
