import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { attachHub, Hub } from "@openscan/hub";
import { silentLogger } from "@openscan/runtime";
import type { FakeClock } from "@openscan/runtime/testing";
import type { Name, Scanner } from "./scanner.js";

/** A scanner behind a real HTTP server on the loopback interface, whose hub's time is a test's. */
export class HttpScanner {
  readonly #clock: FakeClock;
  readonly #scanner: Scanner;
  /** Those of upgraded connections too, which the HTTP server forgets. */
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  #port = 0;

  private constructor(clock: FakeClock, scanner: Scanner) {
    this.#clock = clock;
    this.#scanner = scanner;
  }

  static async open(clock: FakeClock, scanner: Scanner): Promise<HttpScanner> {
    const opened = new HttpScanner(clock, scanner);
    await opened.start();
    return opened;
  }

  get port(): number {
    return this.#port;
  }

  /** On the same port as before, without any history. */
  async start(): Promise<void> {
    const scanner = this.#scanner;
    const hub = new Hub({
      clock: this.#clock,
      log: silentLogger,
      server: { name: "simulated", version: "1.0.0" },
      state: { tasks: () => scanner.tasks, device: () => scanner.device },
    });
    const server = createServer((request, response) => {
      const namespace: Name = request.url?.includes("/tasks/") ? "tasks" : "device";
      const { epoch, seq } = scanner.position(namespace);
      response.setHeader("OpenScan-Epoch", epoch).setHeader("OpenScan-Seq", seq);
      response.setHeader("Content-Type", "application/json").end(JSON.stringify(scanner.state(namespace)));
    });
    attachHub(server, hub, { route: (pathname) => /\/ws\/(tasks|device)$/.exec(pathname)?.[1] as Name });
    server.on("connection", (socket) => {
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
    });
    server.listen(this.#port, "127.0.0.1");
    await once(server, "listening");
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
    scanner.connect(hub);
  }

  /** Every connection is reset, and nobody listens any more. */
  async kill(): Promise<void> {
    const server = this.#server;
    if (!server) return;
    this.#server = undefined;
    this.#scanner.connect(undefined);
    server.close();
    for (const socket of this.#sockets) socket.resetAndDestroy();
    await once(server, "close");
  }
}
