import type { NamespaceName } from "@openscan/protocol";
import { FakeWebSocket } from "./fake-web-socket.js";
import type { Published, ScannerStream } from "./scanner-stream.js";
import { wishesOfQuery } from "./stream-filter.js";
import { Viewer, type ViewedScanner } from "./viewer.js";

const V1 = "openscan.v1";
const BROKEN = 1006;
const VERSION_NOT_SUPPORTED = 4406;

/** Whether anybody gets through: `refused` with a code is a scanner that accepts and then closes with it. */
export type Reach =
  | { readonly state: "open" }
  | { readonly state: "refused"; readonly code: number | undefined }
  | { readonly state: "silent" };

export interface FakeNetworkOptions {
  readonly scanner: ViewedScanner;
  readonly streams: Readonly<Record<NamespaceName, ScannerStream>>;
  readonly legacy: boolean;
}

/** Connects sockets with the scanner, as far as it can be reached. */
export class FakeNetwork {
  reach: Reach = { state: "open" };
  readonly #options: FakeNetworkOptions;
  readonly #viewers = new Map<FakeWebSocket, Viewer>();

  constructor(options: FakeNetworkOptions) {
    this.#options = options;
  }

  count(namespace: NamespaceName): number {
    return [...this.#viewers.values()].filter(({ stream }) => stream.namespace === namespace).length;
  }

  publish(stream: ScannerStream, published: Published): void {
    for (const viewer of this.#viewers.values()) if (viewer.stream === stream) viewer.tell(published);
  }

  /** Ends every connection, with what was sent before. */
  drop(code: number, reason: string): void {
    for (const socket of this.#viewers.keys()) {
      this.#forget(socket);
      socket.drop(code, reason);
    }
  }

  /** Half-open connections: nobody learns that the other end is gone. */
  abandon(): void {
    for (const socket of this.#viewers.keys()) this.#forget(socket);
  }

  open(socket: FakeWebSocket): void {
    if (this.reach.state === "silent") return;
    const { pathname, searchParams } = new URL(socket.url);
    const stream = this.#streamOf(pathname);
    const { legacy } = this.#options;
    // Browsers give up when they offered subprotocols and the server, as one of the legacy dialect, chose none.
    const chosen = legacy
      ? undefined
      : socket.offered.find((name) => name === V1 || socket.offered.length === 1);
    const unchosen = socket.offered.length > 0 && chosen === undefined;
    if (!stream || unchosen || (this.reach.state === "refused" && this.reach.code === undefined)) {
      socket.drop(BROKEN, "");
      return;
    }
    socket.accept(chosen ?? "");
    if (this.reach.state === "refused") {
      socket.drop(this.reach.code ?? BROKEN, "");
      return;
    }
    const version = searchParams.get("v");
    if (!legacy && version !== null && version !== "1") {
      socket.drop(VERSION_NOT_SUPPORTED, "");
      return;
    }
    const viewer = new Viewer(socket, stream, this.#options.scanner);
    this.#viewers.set(socket, viewer);
    if (!legacy && (version === "1" || chosen === V1)) viewer.greet(wishesOfQuery(searchParams));
  }

  hear(socket: FakeWebSocket, text: string): void {
    if (!this.#options.legacy) this.#viewers.get(socket)?.hear(text);
  }

  leave(socket: FakeWebSocket): boolean {
    return this.#forget(socket);
  }

  #forget(socket: FakeWebSocket): boolean {
    this.#viewers.get(socket)?.leave();
    return this.#viewers.delete(socket);
  }

  #streamOf(pathname: string): ScannerStream | undefined {
    const found = /\/ws\/(device|tasks)$/.exec(pathname);
    return found ? this.#options.streams[found[1] as NamespaceName] : undefined;
  }
}
