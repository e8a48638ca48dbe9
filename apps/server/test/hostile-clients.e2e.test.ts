import { connect, type Socket } from "node:net";
import { expect, test } from "vitest";
import { became, type Listener, taskOf } from "./support/api.js";
import { type TestServer, startServer } from "./support/in-process.js";

/** A WebSocket client in plain TCP, which can misbehave in every way. */
async function rawClient({ api }: TestServer, namespace: string): Promise<Socket> {
  const { hostname, port } = new URL(api.url);
  const socket = connect(Number(port), hostname);
  socket.on("error", () => {});
  socket.write(
    `GET /latest/ws/${namespace} HTTP/1.1\r\nHost: ${hostname}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
  );
  await new Promise<void>((resolve) => socket.once("data", () => resolve()));
  return socket;
}

/** A masked frame, as clients send them. */
function frame(opcode: number, payload: Buffer): Buffer {
  const header = Buffer.alloc(14);
  header[0] = 0x80 | opcode;
  header[1] = 0x80 | 127;
  header.writeBigUInt64BE(BigInt(payload.length), 2);
  // Mask of zeros: the payload stays as it is.
  return Buffer.concat([header, payload]);
}

test("clients that stall, send garbage or vanish disturb neither the scan nor 20 healthy clients", async () => {
  const server = await startServer();
  const healthy = await Promise.all(Array.from({ length: 20 }, () => server.api.listen("tasks")));
  const watcher = await server.api.listen("device");
  const stalled = await Promise.all(
    Array.from({ length: 5 }, (_, i) => rawClient(server, i % 2 ? "tasks" : "device")),
  );
  for (const socket of stalled) socket.pause();
  const memoryBefore = process.memoryUsage().rss;

  const { id } = await server.api.startScan("vase", { points: 15 });
  const running = (at: number) =>
    healthy[0]?.find((message) => became(id, "running")(message) && taskOf(message).progress.current >= at);
  await running(1);
  const garbage = await server.api.listen("tasks");
  for (const text of ["", "{", "null", '{"type":"pong"}', "\u0000", "x".repeat(60_000)])
    garbage.socket.send(text);
  const huge = await server.api.listen("tasks");
  huge.socket.send("x".repeat(1_000_000));
  const binary = await server.api.listen("device");
  binary.socket.send(Buffer.from([1, 2, 3]));
  const noise = await rawClient(server, "tasks");
  noise.write(Buffer.from(Array.from({ length: 500 }, (_, i) => (i * 37) % 256)));
  const fragments = await rawClient(server, "device");
  fragments.write(frame(0x1, Buffer.alloc(1_000_000, "x")));
  const vanished = await rawClient(server, "device");
  vanished.resetAndDestroy();
  await running(5);
  // A storm that fills what a stalled client's kernel takes: the rest must not pile up here.
  for (let i = 0; i < 3000; i++)
    await server.api.call("PATCH", "/latest/lights/Openscan.eu%20Ringlight/toggle");

  for (const listener of healthy) await listener.find(became(id, "completed"));
  expect(await Promise.all([huge.closed, binary.closed])).toMatchObject([{ code: 1009 }, { code: 1003 }]);
  expect(garbage.socket.readyState).toBe(garbage.socket.OPEN);
  expectComplete(healthy, id);
  const toggles = watcher.messages.filter(({ changed }) => (changed as string[])[0]?.endsWith(".is_on"));
  expect(toggles).toHaveLength(3000);
  expect((process.memoryUsage().rss - memoryBefore) / 2 ** 20).toBeLessThan(200);
  for (const socket of [...stalled, noise, fragments]) socket.destroy();
}, 90_000);

function expectComplete(listeners: readonly Listener[], id: string): void {
  for (const { frames } of listeners) expect(frames).toEqual(listeners[0]?.frames);
  const tasks = listeners[0]?.messages.filter(({ type }) => type === "task.update").map(taskOf) ?? [];
  const steps = tasks
    .filter((task) => task.id === id && task.status === "running")
    .map(({ progress }) => progress.current);
  for (let step = 1; step <= 15; step++) expect(steps).toContain(step);
}
