import type { SocketLike } from "../web-socket.js";

/** The scanner's side of the network: what sockets are connected to. */
export interface Network {
  /** A socket wants to be connected; later than its construction. */
  open(socket: FakeWebSocket): void;
  hear(socket: FakeWebSocket, text: string): void;
  /** The client closes. Returns whether anybody is there to answer. */
  leave(socket: FakeWebSocket): boolean;
}

const CONNECTING = 0;
const OPEN = 1;
const CLOSING = 2;
const CLOSED = 3;

/** A WebSocket without a network. As with a real one, nothing happens before the caller's turn is over. */
export class FakeWebSocket implements SocketLike {
  readonly url: string;
  readonly offered: readonly string[];
  readonly #network: Network;
  readonly #events = new EventTarget();
  protocol = "";
  readyState = CONNECTING;

  constructor(network: Network, url: string, protocols: string | readonly string[] = []) {
    this.#network = network;
    this.url = url;
    this.offered = typeof protocols === "string" ? [protocols] : protocols;
    queueMicrotask(() => {
      if (this.readyState === CONNECTING) network.open(this);
    });
  }

  addEventListener(type: string, listener: (event: never) => void): void {
    this.#events.addEventListener(type, listener as (event: Event) => void);
  }

  send(text: string): void {
    if (this.readyState === CONNECTING)
      throw new DOMException("Still in CONNECTING state", "InvalidStateError");
    if (this.readyState === OPEN) queueMicrotask(() => this.#network.hear(this, text));
  }

  close(code = 1005, reason = ""): void {
    if (this.readyState >= CLOSING) return;
    const wasOpen = this.readyState === OPEN;
    this.readyState = CLOSING;
    const answered = this.#network.leave(this);
    if (!wasOpen) this.#end(1006, "");
    else if (answered) this.#end(code, reason);
  }

  /** The scanner accepts. */
  accept(protocol: string): void {
    this.protocol = protocol;
    this.readyState = OPEN;
    this.#events.dispatchEvent(new Event("open"));
  }

  /** A message from the scanner. */
  receive(data: string): void {
    queueMicrotask(() => {
      if (this.readyState === OPEN) this.#events.dispatchEvent(Object.assign(new Event("message"), { data }));
    });
  }

  /** The scanner closes, or the connection breaks (1006), after what was sent. */
  drop(code: number, reason: string): void {
    if (this.readyState === CONNECTING) this.#events.dispatchEvent(new Event("error"));
    this.#end(code, reason);
  }

  #end(code: number, reason: string): void {
    queueMicrotask(() => {
      if (this.readyState === CLOSED) return;
      this.readyState = CLOSED;
      this.#events.dispatchEvent(
        Object.assign(new Event("close"), { code, reason, wasClean: code !== 1006 }),
      );
    });
  }
}
