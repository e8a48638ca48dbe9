import { FakeClock } from "@openscan/runtime/testing";
import { afterEach, beforeEach, expect, test } from "vitest";
import { WebSocket } from "ws";
import { createScannerClient, type ScannerClient, type ScannerClientOptions } from "../src/index.js";
import { becomes } from "./support/becomes.js";
import { completed, device, running, task } from "./support/fixtures.js";
import { deviceEvents, Recorder, taskEvents } from "./support/recorder.js";
import { ScannerServer } from "./support/scanner-server.js";
import { TcpProxy } from "./support/tcp-proxy.js";

let server: ScannerServer;
let clock: FakeClock;
let clients: ScannerClient[] = [];

beforeEach(async () => {
  server = await ScannerServer.start();
  clock = new FakeClock();
});
afterEach(async () => {
  for (const client of clients) client.close();
  clients = [];
  await server.kill();
});

function connect(options: Partial<ScannerClientOptions> = {}): ScannerClient {
  const client = createScannerClient({ url: server.url, WebSocket, clock, onError: () => {}, ...options });
  clients.push(client);
  return client;
}

/** Lets the client wait in vain for a hello. */
async function foundLegacy(client: ScannerClient, name: "tasks" | "device"): Promise<void> {
  await becomes<unknown, unknown>(client[name], "resyncing");
  await clock.advance(1500);
  await becomes<unknown, unknown>(client[name], "live");
}

test("tasks and device arrive, in order", async () => {
  server.tasks = [task("a")];
  const client = connect();
  const tasks = new Recorder(taskEvents(client));
  const devices = new Recorder(deviceEvents(client));
  await foundLegacy(client, "tasks");
  await becomes(client.device, "live");
  for (let current = 0; current < 300; current++) server.updateTask(running("a", current));
  server.updateDevice(device("two"), ["lights.ring.is_on"]);
  await tasks.count(301);
  await devices.count(2);
  expect(tasks.events).toEqual([
    { type: "resync", state: [task("a")], lost: false },
    ...Array.from({ length: 300 }, (_, current) => ({ type: "task.update", task: running("a", current) })),
  ]);
  expect(devices.events).toMatchObject([
    { type: "resync", state: { name: "one" } },
    { type: "device.status", device: { name: "two" }, changed: ["lights.ring.is_on"] },
  ]);
});

test("a server that is killed and comes back is found again, and its state is the new one", async () => {
  const client = connect({ random: () => 0 });
  const tasks = new Recorder(taskEvents(client));
  await foundLegacy(client, "tasks");
  server.updateTask(running("a", 1));
  await tasks.count(2);
  await server.kill();
  await becomes(client.tasks, "stale");
  server.tasks = [completed("a"), task("b")];
  await server.start();
  await clock.advance(0);
  await becomes(client.tasks, "live");
  expect(tasks.events.at(-1)).toEqual({ type: "resync", state: [completed("a"), task("b")], lost: true });
  expect(server.connections).toBe(1);
});

test("a pulled cable is noticed after 75 s of silence, and the state is fetched anew", async () => {
  const proxy = await TcpProxy.to(server.port);
  const client = connect({ url: proxy.url });
  const devices = new Recorder(deviceEvents(client));
  await foundLegacy(client, "device");
  proxy.pullCable();
  server.updateDevice(device("two"), null);
  // Since the handshake; the REST answer came 1.5 s after it.
  await clock.advance(75_000 - 1500 - 1000);
  expect(client.device.get()).toMatchObject({
    state: { name: "one" },
    freshness: { status: "stale", ageMs: 72_000 },
  });
  await clock.advance(1000 + 500);
  await becomes(client.device, "resyncing");
  // The kept-alive REST connection hangs on the same dead cable: its time-out makes way for a new one.
  await clock.advance(10_500);
  await devices.count(2);
  expect(devices.events).toMatchObject([
    { type: "resync", state: { name: "one" }, lost: false },
    { type: "resync", state: { name: "two" }, lost: true },
  ]);
  client.close();
  await proxy.close();
});

test("events that race with a slow REST answer are applied after it, so the newest state wins", async () => {
  let release = () => {};
  server.tasks = [running("a", 1)];
  const old = JSON.stringify(server.tasks);
  server.answer = () => new Promise((resolve) => (release = () => resolve({ status: 200, body: old })));
  const client = connect();
  const tasks = new Recorder(taskEvents(client));
  await becomes(client.tasks, "resyncing");
  await clock.advance(1500);
  await server.seen.until((lines) => lines.includes("GET /latest/tasks/"));
  server.updateTask(running("a", 2));
  server.updateTask(completed("a"));
  // It is answered after what was sent before it has arrived.
  server.publish("tasks", { type: "ping" });
  await server.seen.until((lines) => lines.some((line) => line.includes("pong")));
  expect(tasks.events).toEqual([]);
  release();
  await tasks.count(3);
  expect(client.tasks.get().state).toEqual([completed("a")]);
  expect(tasks.events[0]).toEqual({ type: "resync", state: [running("a", 1)], lost: false });
});

test("garbage and bytes are reported; the connection and the events after them survive", async () => {
  const errors: unknown[] = [];
  const client = connect({ onError: (error) => errors.push(error) });
  const tasks = new Recorder(taskEvents(client));
  await foundLegacy(client, "tasks");
  for (const garbage of ["{", "[]", '"x"', "", '{"type":"task.update","task":{"id":1}}']) {
    server.publish("tasks", garbage);
  }
  server.publish("tasks", Buffer.from([0, 255]));
  server.publish("tasks", { type: "task.flying" });
  server.updateTask(running("a", 1));
  await tasks.count(2);
  expect(errors).toHaveLength(6);
  expect(server.connections).toBe(1);
});
