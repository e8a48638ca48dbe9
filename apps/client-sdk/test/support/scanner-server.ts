import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { DeviceStatus, NamespaceName, Task } from "@openscan/protocol";
import { type WebSocket, WebSocketServer } from "ws";
import { device } from "./fixtures.js";
import { Recorder } from "./recorder.js";

export interface RestReply {
  readonly status: number;
  readonly body: string;
}
type Answer = (request: string) => RestReply | undefined | Promise<RestReply | undefined>;

/** A real HTTP and WebSocket server that does what a test tells it to. */
export class ScannerServer {
  tasks: Task[] = [];
  /** `null`: not configured yet. */
  device: DeviceStatus | null = device("one");
  /** Asked first; `undefined` leaves the request to the server. */
  answer: Answer = () => undefined;
  /** Requests (`GET /latest/tasks/`) and sockets (`open tasks`, `message tasks …`), in order. */
  readonly seen: Recorder<string>;
  readonly #see: (line: string) => void;
  readonly #sockets = new Map<WebSocket, NamespaceName>();
  readonly #web = new WebSocketServer({ noServer: true });
  #http: Server | undefined;
  #port = 0;

  constructor() {
    let add: (line: string) => void = () => {};
    this.seen = new Recorder((listener) => {
      add = listener;
      return () => {};
    });
    this.#see = (line) => add(line);
  }

  static async start(): Promise<ScannerServer> {
    const server = new ScannerServer();
    await server.start();
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  get port(): number {
    return this.#port;
  }

  get connections(): number {
    return this.#sockets.size;
  }

  /** Starts, or starts again on the same port. */
  async start(): Promise<void> {
    const http = createServer((request, response) => void this.#reply(request, response));
    http.on("upgrade", (request, socket, head) => {
      const namespace = /\/ws\/(tasks|device)(?:\?|$)/.exec(request.url ?? "")?.[1] as
        | NamespaceName
        | undefined;
      if (!namespace) return socket.destroy();
      return this.#web.handleUpgrade(request, socket, head, (opened) => {
        this.#sockets.set(opened, namespace);
        opened.on("close", (code) => {
          this.#sockets.delete(opened);
          this.#see(`close ${namespace} ${code}`);
        });
        opened.on("error", () => {});
        opened.on("message", (data: Buffer) => this.#see(`message ${namespace} ${data.toString()}`));
        this.#see(`open ${namespace}`);
      });
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
    for (const socket of this.#sockets.keys()) socket.terminate();
    http.closeAllConnections();
    await closed;
  }

  /** Sends a message as JSON; strings and bytes as they are. */
  publish(namespace: NamespaceName, message: object | string | Buffer): void {
    const frame = typeof message === "string" || Buffer.isBuffer(message) ? message : JSON.stringify(message);
    for (const [socket, of] of this.#sockets) if (of === namespace) socket.send(frame);
  }

  updateTask(task: Task): void {
    this.tasks = [...this.tasks.filter(({ id }) => id !== task.id), task];
    this.publish("tasks", { type: "task.update", task });
  }

  updateDevice(next: DeviceStatus, changed: string[] | null): void {
    this.device = next;
    this.publish("device", { type: "device.status", device: next, changed });
  }

  closeSockets(code: number, reason = ""): void {
    for (const socket of this.#sockets.keys()) socket.close(code, reason);
  }

  async #reply(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = "";
    for await (const chunk of request) body += String(chunk);
    const line = `${request.method} ${request.url}${body && ` ${body}`}`;
    this.#see(line);
    const reply = (await this.answer(line)) ?? this.#usual(line);
    response.writeHead(reply.status, {
      "content-type": reply.body.startsWith("<") ? "text/html" : "application/json",
      "access-control-allow-origin": "*",
    });
    response.end(reply.body);
  }

  #usual(line: string): RestReply {
    if (/^GET \S*\/tasks\/$/.test(line)) return { status: 200, body: JSON.stringify(this.tasks) };
    if (/^GET \S*\/device\/info$/.test(line)) {
      if (this.device) return { status: 200, body: JSON.stringify(this.device) };
      const detail = { message: "Device configuration is not loaded.", errors: [] };
      return { status: 503, body: JSON.stringify({ detail }) };
    }
    if (/^GET \/page$/.test(line)) return { status: 200, body: "<!doctype html><title>page</title>" };
    return { status: 404, body: JSON.stringify({ detail: "Not Found" }) };
  }
}
