import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import type { DeviceStatus, EventOf, Hello, LiveTask, NamespaceName } from "@openscan/protocol";
import { FakeClock, recordingLogger } from "@openscan/runtime/testing";
import { WebSocket } from "ws";
import { type AttachOptions, attachHub, Hub, type HubLimits, type HubOptions } from "../src/index.js";

/** Each namespace is routed as `/<name>`. */
const routes: ReadonlyMap<string, NamespaceName> = new Map([
  ["/tasks", "tasks"],
  ["/device", "device"],
]);

/** A hub behind a real HTTP server on the loopback interface, with a clock that stands still. */
export async function openRig(
  limits: Partial<HubLimits> = {},
  admit?: AttachOptions["admit"],
  onFlushed: HubOptions["onFlushed"] = () => {},
) {
  const clock = new FakeClock();
  const log = recordingLogger();
  const scanner = new Scanner();
  let ids = 0;
  const hub = new Hub({
    clock,
    log,
    limits,
    server: { name: "test", version: "1.2.3" },
    state: { tasks: () => scanner.tasks(), device: () => scanner.device() },
    newId: () => `id-${++ids}`,
    onFlushed,
  });
  const server = createServer((request, response) => request.pipe(response.writeHead(418)));
  const detach = attachHub(server, hub, {
    route: (pathname) => routes.get(pathname),
    ...(admit && { admit }),
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    clock,
    log,
    hub,
    scanner,
    server,
    detach,
    port,
    /** Publishes an event and makes the scanner's state agree with it. */
    publish<Name extends NamespaceName>(namespace: Name, event: EventOf<Name>) {
      scanner.apply(event as AnyEvent);
      hub.publish(namespace, event);
    },
    connect: (namespace: NamespaceName = "tasks", query = "", protocols: string[] = []) =>
      openClient(`ws://127.0.0.1:${port}/${namespace}?${query}`, protocols),
    connectRaw: (namespace: NamespaceName = "tasks", query = "") =>
      openRawClient(port, `/${namespace}?${query}`),
    async [Symbol.asyncDispose]() {
      await clock.run(hub.close());
      await closeServer(server);
    },
  };
}

export type Rig = Awaited<ReturnType<typeof openRig>>;

type AnyEvent = EventOf<"tasks"> | EventOf<"device">;

/** The state that the published events add up to. */
class Scanner {
  readonly #tasks = new Map<string, LiveTask>();
  #device = deviceStatus();
  /** What is thrown instead of telling the state. */
  fault: Error | undefined;

  tasks(): LiveTask[] {
    if (this.fault) throw this.fault;
    return [...this.#tasks.values()];
  }

  device(): DeviceStatus {
    if (this.fault) throw this.fault;
    return this.#device;
  }

  apply(event: AnyEvent): void {
    if (event.type === "task.update") this.#tasks.set(event.task.id, event.task);
    if (event.type === "task.deleted") this.#tasks.delete(event.id);
    if (event.type === "device.status") this.#device = event.device;
  }
}

async function closeServer(server: Server): Promise<void> {
  server.closeAllConnections();
  server.close();
  await once(server, "close");
}

/** A message of v1, loosely typed: tests look at what they expect. */
export interface Received {
  readonly type: string;
  readonly id?: string;
  readonly ts?: string;
  readonly seq?: number;
  readonly prev?: number | null;
  readonly task?: LiveTask;
  readonly tasks?: LiveTask[];
  readonly device?: DeviceStatus;
  readonly changed?: string[] | null;
  readonly set?: Record<string, unknown>;
  readonly snapshot?: true;
  readonly epoch?: string;
  readonly resume?: Hello["resume"];
  readonly message?: string;
  readonly code?: string;
  readonly last?: number | null;
}

/** A healthy client that keeps everything it receives. */
export type Client = Awaited<ReturnType<typeof openClient>>;

async function openClient(url: string, protocols: string[]) {
  const socket = new WebSocket(url, protocols);
  const messages: string[] = [];
  socket.on("message", (bytes: Buffer, isBinary) => {
    messages.push(isBinary ? `binary of ${bytes.length} bytes` : bytes.toString());
  });
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.on("close", (code, reason) => resolve({ code, reason: reason.toString() }));
  });
  await once(socket, "open");
  return {
    socket,
    messages,
    closed,
    /** The messages, parsed. */
    get parsed(): Received[] {
      return messages.map((text) => JSON.parse(text) as Received);
    },
    say: (message: object) => socket.send(JSON.stringify(message)),
    /** Resolves when `count` messages have come. */
    async received(count: number): Promise<void> {
      while (messages.length < count) await once(socket, "message");
    },
    /** Resolves when the server has processed all that was sent to it, automatic pongs included. */
    async inStep(): Promise<void> {
      socket.ping();
      await once(socket, "pong");
    },
  };
}

/** A TCP client that has done the handshake and does nothing more: no reading, no pongs, no close. */
export async function openRawClient(port: number, path: string): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => socket.destroy());
  socket.write(handshake(path));
  let answer = Buffer.alloc(0);
  while (!answer.includes("\r\n\r\n")) {
    const [chunk] = (await once(socket, "data")) as [Buffer];
    answer = Buffer.concat([answer, chunk]);
  }
  socket.pause();
  socket.unshift(answer.subarray(answer.indexOf("\r\n\r\n") + 4));
  return socket;
}

export function handshake(path: string): string {
  return [
    `GET ${path} HTTP/1.1`,
    "Host: 127.0.0.1",
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "",
    "",
  ].join("\r\n");
}

/** Reads a raw client to its end. */
export async function drain(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  const closed = once(socket, "close");
  socket.resume();
  await closed;
  return Buffer.concat(chunks);
}

export interface Frame {
  readonly opcode: number;
  readonly payload: Buffer;
}

/** The whole frames in `bytes`, as a server sends them; a frame that is cut off at the end is left out. */
export function parseFrames(bytes: Buffer): Frame[] {
  const frames: Frame[] = [];
  for (let at = 0; at + 2 <= bytes.length; ) {
    const short = bytes.readUInt8(at + 1);
    const headerLength = short < 126 ? 2 : short === 126 ? 4 : 10;
    if (at + headerLength > bytes.length) break;
    const length =
      short < 126
        ? short
        : short === 126
          ? bytes.readUInt16BE(at + 2)
          : Number(bytes.readBigUInt64BE(at + 2));
    const end = at + headerLength + length;
    if (end > bytes.length) break;
    frames.push({ opcode: bytes.readUInt8(at) & 15, payload: bytes.subarray(at + headerLength, end) });
    at = end;
  }
  return frames;
}

/** A client's text frame; its mask is zero, which leaves the text readable. */
export function maskedTextFrame(text: string): Buffer {
  return Buffer.concat([Buffer.from([0x81, 0x80 | text.length, 0, 0, 0, 0]), Buffer.from(text)]);
}

/** An event that differs by `current`, of about `size` bytes when padded. */
export function taskUpdate(current: number, size = 0): EventOf<"tasks"> & { type: "task.update" } {
  return {
    type: "task.update",
    task: {
      id: "7f9c",
      name: "scan",
      task_type: "scan_task",
      is_exclusive: true,
      is_blocking: false,
      status: "running",
      progress: { current, total: 100_000, message: "ü".padEnd(size, "-") },
      result: null,
      error: null,
      created_at: "2026-01-01T00:00:00.000Z",
      started_at: "2026-01-01T00:00:00.000Z",
      completed_at: null,
      run_args: [],
      run_kwargs: {},
      revision: current + 1,
    },
  };
}

/** Ends the current turn of the event loop: what the hub joined is on its way afterwards. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** The same, as a fact: it may not be merged with others. */
export function taskEnded(current: number, size = 0): ReturnType<typeof taskUpdate> {
  const { type, task } = taskUpdate(current, size);
  return { type, task: { ...task, status: "completed" } };
}

export function deviceEvent(
  scan_radius_mm: number,
  changed: string[] | null = ["scan_radius_mm"],
): EventOf<"device"> & { type: "device.status" } {
  return { type: "device.status", device: { ...deviceStatus(), scan_radius_mm }, changed };
}

/** What a legacy client gets of it. */
export function legacyText({ type, task }: ReturnType<typeof taskUpdate>): string {
  return JSON.stringify({ type, task: { ...task, revision: undefined } });
}

export function deviceStatus(): DeviceStatus {
  return {
    name: "Mini",
    model: "mini",
    shield: null,
    cameras: {},
    motors: {},
    lights: {},
    triggers: {},
    endstops: {},
    motors_timeout: 0,
    scan_radius_mm: 105,
    startup_mode: "startup_enabled",
    calibrate_mode: "calibrate_manual",
    initialized: true,
    idle: false,
  };
}
