import type { SocketConstructor, SocketLike } from "../../src/web-socket.js";

/** A socket whose other end is the test. */
export class FakeSocket implements SocketLike {
  readonly url: string;
  readonly protocols: readonly string[] | undefined;
  readonly sent: string[] = [];
  closed: number | undefined;
  terminated = false;
  readonly #listeners = new Map<string, (event: unknown) => void>();

  constructor(url: string, protocols?: readonly string[]) {
    this.url = url;
    this.protocols = protocols;
  }

  addEventListener(type: string, listener: (event: never) => void): void {
    this.#listeners.set(type, listener as (event: unknown) => void);
  }

  send(text: string): void {
    this.sent.push(text);
  }

  close(code?: number): void {
    this.closed = code;
  }

  terminate(): void {
    this.terminated = true;
  }

  accept(): void {
    this.#listeners.get("open")?.({});
  }

  receive(...messages: readonly (object | string)[]): void {
    for (const message of messages) {
      const data = typeof message === "string" ? message : JSON.stringify(message);
      this.#listeners.get("message")?.({ data });
    }
  }

  receiveBinary(): void {
    this.#listeners.get("message")?.({ data: new Uint8Array([1]) });
  }

  drop(code = 1006, reason = ""): void {
    this.#listeners.get("error")?.({});
    this.#listeners.get("close")?.({ code, reason });
  }
}

/** A WebSocket constructor and what it made, newest last. */
export function fakeSockets() {
  const made: FakeSocket[] = [];
  return {
    made,
    WebSocket: function open(url: string, protocols?: readonly string[]) {
      const socket = new FakeSocket(url, protocols);
      made.push(socket);
      return socket;
    } as unknown as SocketConstructor,
    get last(): FakeSocket {
      const last = made.at(-1);
      if (!last) throw new Error("no socket was opened yet");
      return last;
    },
  };
}
