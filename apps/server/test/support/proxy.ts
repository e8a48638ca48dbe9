import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import type { Clock } from "@openscan/runtime";

export type Direction = "down" | "up";

export interface ProxyOptions {
  readonly clock: Clock;
  /** From 0 to below 1. */
  readonly random: () => number;
  /** Where to; asked for each connection. */
  readonly port: () => number;
  /** Longest delay of a piece; 0 passes everything on at once. */
  readonly delayMs: number;
}

/** A bad way between a client and a server: TCP that comes late and in pieces, breaks, or goes silent. */
export class Proxy {
  readonly #options: ProxyOptions;
  readonly #server: Server;
  readonly #connections = new Set<Connection>();
  /** `refuses`: resets what connects; `silent`: takes it and does nothing. */
  state: "open" | "refuses" | "silent" = "open";
  /** Befalls the next connection: in its handshake when the bytes are few. */
  nextCut: { readonly direction: Direction; readonly bytes: number } | undefined;

  private constructor(options: ProxyOptions) {
    this.#options = options;
    this.#server = createServer((near) => this.#accept(near));
  }

  static async open(options: ProxyOptions): Promise<Proxy> {
    const proxy = new Proxy(options);
    proxy.#server.listen(0, "127.0.0.1");
    await once(proxy.#server, "listening");
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Connections that pass something on. */
  get open(): readonly Connection[] {
    return [...this.#connections].filter(({ isOpen }) => isOpen);
  }

  async close(): Promise<void> {
    for (const connection of this.#connections) connection.cut();
    this.#server.close();
    await once(this.#server, "close");
  }

  #accept(near: Socket): void {
    near.on("error", () => near.destroy());
    if (this.state === "refuses") {
      near.resetAndDestroy();
      return;
    }
    const connection = new Connection(
      near,
      this.state === "silent" ? undefined : this.#connect(),
      this.#options,
    );
    if (this.nextCut) connection.cutAfter(this.nextCut.direction, this.nextCut.bytes);
    this.nextCut = undefined;
    this.#connections.add(connection);
    void connection.ended.then(() => this.#connections.delete(connection));
  }

  #connect(): Socket {
    const far = connect(this.#options.port(), "127.0.0.1");
    far.on("error", () => far.destroy());
    return far;
  }
}

/** One connection through the proxy. */
export class Connection {
  /** Both ends are gone. */
  readonly ended: Promise<void>;
  readonly #near: Socket;
  readonly #far: Socket | undefined;
  readonly #options: ProxyOptions;
  readonly #untilCut: Record<Direction, number> = {
    down: Number.POSITIVE_INFINITY,
    up: Number.POSITIVE_INFINITY,
  };
  readonly #stopped = new Set<Direction>();

  constructor(near: Socket, far: Socket | undefined, options: ProxyOptions) {
    this.#near = near;
    this.#far = far;
    this.#options = options;
    const sockets = far ? [near, far] : [near];
    this.ended = Promise.all(sockets.map(closed)).then(() => {});
    for (const socket of sockets) socket.setNoDelay(true);
    if (!far) return;
    void this.#pass("up", near, far);
    void this.#pass("down", far, near);
  }

  get isOpen(): boolean {
    return this.#far !== undefined && !this.#near.destroyed && !this.#far.destroyed && this.#stopped.size < 2;
  }

  /** Resets both ends once so many more bytes have passed in a direction. */
  cutAfter(direction: Direction, bytes: number): void {
    this.#untilCut[direction] = bytes;
  }

  cut(): void {
    this.#near.resetAndDestroy();
    this.#far?.resetAndDestroy();
  }

  /** Nothing passes in a direction any more, not even the end of the connection. */
  stop(direction: Direction): void {
    this.#stopped.add(direction);
  }

  /** One end is told that the connection is broken, the other never is. */
  breakFor(told: "client" | "server"): void {
    this.#stopped.add("down").add("up");
    (told === "client" ? this.#near : this.#far)?.resetAndDestroy();
  }

  async #pass(direction: Direction, from: Socket, to: Socket): Promise<void> {
    try {
      for await (const bytes of from) await this.#passOn(direction, bytes as Buffer, to);
      if (!this.#stopped.has(direction)) to.end();
    } catch {
      // A reset on one side is a reset on the other.
      if (!this.#stopped.has(direction)) to.resetAndDestroy();
    }
  }

  /** In pieces of any size, each as late as it likes; nothing more is read meanwhile. */
  async #passOn(direction: Direction, bytes: Buffer, to: Socket): Promise<void> {
    const { clock, random, delayMs } = this.#options;
    for (let at = 0; at < bytes.length; ) {
      const size = Math.min(
        1 + Math.floor(random() ** 3 * 4000),
        bytes.length - at,
        this.#untilCut[direction],
      );
      if (delayMs > 0) await clock.sleep(random() * delayMs);
      if (this.#stopped.has(direction)) return;
      if (size > 0 && !to.write(bytes.subarray(at, at + size))) await drained(to);
      at += size;
      this.#untilCut[direction] -= size;
      if (this.#untilCut[direction] > 0) continue;
      this.cut();
      return;
    }
  }
}

/** However it ends: `once` of Node would reject after an error. */
function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.on("close", () => resolve()));
}

/** It is empty again, or gone. */
function drained(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      socket.off("drain", done).off("close", done);
      resolve();
    };
    socket.on("drain", done).on("close", done);
  });
}
