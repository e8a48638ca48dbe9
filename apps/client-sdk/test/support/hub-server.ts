import { once } from "node:events";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { attachHub, Hub, type Refusal } from "@openscan/hub";
import type { DeviceStatus, EventOf, LiveTask, NamespaceName } from "@openscan/protocol";
import { systemClock } from "@openscan/runtime";
import { recordingLogger } from "@openscan/runtime/testing";
import { device } from "./fixtures.js";

/** The real hub on a real port. */
export class HubServer {
  tasks: readonly LiveTask[] = [];
  device: DeviceStatus = device("one");
  /** Targets of the upgrades, in order. */
  readonly upgrades: string[] = [];
  /** Why to refuse a client; `undefined` lets it in. */
  admit: (request: IncomingMessage) => Refusal | undefined = () => undefined;
  #hub!: Hub;
  #http: Server | undefined;
  #port = 0;
  readonly #sockets = new Set<Socket>();

  static async start(): Promise<HubServer> {
    const server = new HubServer();
    await server.start();
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  get port(): number {
    return this.#port;
  }

  /** Starts, or starts again on the same port: as another process, which knows of no earlier events. */
  async start(): Promise<void> {
    this.#hub = new Hub({
      clock: systemClock,
      log: recordingLogger(),
      server: { name: "hub", version: "0.0.0" },
      state: { device: () => this.device, tasks: () => this.tasks },
    });
    const http = createServer((_request, response) =>
      response
        .setHeader("content-type", "text/html")
        .setHeader("access-control-allow-origin", "*")
        .end("<!doctype html><title>page</title>"),
    );
    attachHub(http, this.#hub, {
      route: (path) => /\/ws\/(device|tasks)$/.exec(path)?.[1] as NamespaceName | undefined,
      admit: (request) => this.admit(request),
    });
    http.on("upgrade", ({ url = "" }: IncomingMessage) => this.upgrades.push(url));
    http.on("connection", (socket) => {
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
    });
    http.listen(this.#port, "127.0.0.1");
    await once(http, "listening");
    this.#port = (http.address() as AddressInfo).port;
    this.#http = http;
  }

  /** As a killed process: every connection is gone without a word. */
  async kill(): Promise<void> {
    const http = this.#http;
    if (!http) return;
    this.#http = undefined;
    const closed = once(http, "close");
    http.close();
    this.cut();
    await closed;
    await this.#hub.close();
  }

  /** Cuts every connection; the hub remembers what it told. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Resolves when no connection is left. */
  async emptied(): Promise<void> {
    await Promise.all([...this.#sockets].map((socket) => once(socket, "close")));
  }

  /** Stops as the server does when it is updated. */
  async close(code: 1001 | 1012, reason: string): Promise<void> {
    await this.#hub.close(code, reason);
    await this.kill();
  }

  tell<Name extends NamespaceName>(namespace: Name, event: EventOf<Name>): void {
    this.#hub.publish(namespace, event);
  }

  updateTask(task: LiveTask): void {
    this.tasks = [...this.tasks.filter(({ id }) => id !== task.id), task];
    this.tell("tasks", { type: "task.update", task });
  }

  updateDevice(next: DeviceStatus, changed: string[] | null): void {
    this.device = next;
    this.tell("device", { type: "device.status", device: next, changed });
  }
}
