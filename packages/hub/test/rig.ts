import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import type { DeviceStatus, EventOf, LiveTask, NamespaceName } from "@openscan/protocol";
import { FakeClock, recordingLogger } from "@openscan/runtime/testing";
import { type ClientOptions, WebSocket } from "ws";
import { attachHub, Hub, type HubLimits } from "../src/index.js";

/** Each namespace is routed as `/<name>`. */
const routes: ReadonlyMap<string, NamespaceName> = new Map([
  ["/tasks", "tasks"],
  ["/device", "device"],
]);

/** A hub behind a real HTTP server on the loopback interface, with a clock that stands still. */
export async function openRig(limits: Partial<HubLimits> = {}) {
  const clock = new FakeClock();
  const log = recordingLogger();
  const tasks = new Map<string, LiveTask>();
  const hub = new Hub({
    clock,
    log,
    limits,
    server: { name: "test", version: "1.2.3" },
    state: { tasks: () => [...tasks.values()], device: () => deviceStatus() },
  });
  const server = createServer((request, response) => request.pipe(response.writeHead(418)));
  const detach = attachHub(server, hub, { route: (pathname) => routes.get(pathname) });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    clock,
    log,
    hub,
    server,
    detach,
    port,
    connect: (namespace: NamespaceName = "tasks", options: ClientOptions = {}) =>
      openClient(`ws://127.0.0.1:${port}/${namespace}`, options),
    connectRaw: (namespace: NamespaceName = "tasks") => openRawClient(port, `/${namespace}`),
    async [Symbol.asyncDispose]() {
      await clock.run(hub.close());
      await closeServer(server);
    },
  };
}

async function closeServer(server: Server): Promise<void> {
  server.closeAllConnections();
  server.close();
  await once(server, "close");
}

/** A healthy client that keeps everything it receives. */
export type Client = Awaited<ReturnType<typeof openClient>>;

async function openClient(url: string, options: ClientOptions) {
  const socket = new WebSocket(url, options);
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
  let answer = "";
  while (!answer.includes("\r\n\r\n")) {
    const [chunk] = (await once(socket, "data")) as [Buffer];
    answer += chunk.toString("latin1");
  }
  socket.pause();
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
