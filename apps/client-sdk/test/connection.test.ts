import { namespaces } from "@openscan/protocol";
import { FakeClock } from "@openscan/runtime/testing";
import { afterEach, beforeEach, expect, test } from "vitest";
import { WebSocket } from "ws";
import {
  createScannerClient,
  type ScannerClient,
  type ScannerClientOptions,
  type Stream,
} from "../src/index.js";
import { completed, device, running, task } from "./support/fixtures.js";
import { Recorder } from "./support/recorder.js";
import { ScannerServer } from "./support/scanner-server.js";
import { TcpProxy } from "./support/tcp-proxy.js";

let server: ScannerServer;
let clients: ScannerClient[] = [];

beforeEach(async () => {
  server = await ScannerServer.start();
});
afterEach(async () => {
  for (const client of clients) client.close();
  clients = [];
  await server.kill();
});

/** Real sockets and, unless a clock is given, real time with delays of at most a few milliseconds. */
function connect(options: Partial<ScannerClientOptions> = {}): ScannerClient {
  const client = createScannerClient({
    url: server.url,
    WebSocket,
    random: () => 0.01,
    onError: () => {},
    ...options,
  });
  clients.push(client);
  return client;
}

type AnyStream = Pick<Stream<never, never>, "onState" | "state">;
async function becomes(stream: AnyStream, state: string): Promise<void> {
  if (stream.state === state) return;
  await new Promise<void>((resolve) => {
    const undo = stream.onState((now) => {
      if (now !== state) return;
      undo();
      resolve();
    });
  });
}

test("tasks and device arrive over real sockets, in order", async () => {
  server.tasks = [task("a")];
  const client = connect();
  const tasks = new Recorder(client.tasks);
  const devices = new Recorder(client.device);
  await tasks.count(1);
  await devices.count(1);
  for (let current = 0; current < 300; current++) server.updateTask(running("a", current));
  server.updateDevice(device("two"), ["lights.ring.is_on"]);
  await tasks.count(301);
  await devices.count(2);
  expect(tasks.events[0]).toEqual({ type: "resync", tasks: [task("a")] });
  expect(tasks.events.slice(1)).toEqual(
    Array.from({ length: 300 }, (_, current) => ({ type: "task.update", task: running("a", current) })),
  );
  expect(devices.events).toMatchObject([
    { type: "resync", device: { name: "one" } },
    { type: "device.status", device: { name: "two" }, changed: ["lights.ring.is_on"] },
  ]);
});

test("a server that is killed and comes back is found again, and its state is the new one", async () => {
  const client = connect();
  const recorder = new Recorder(client.tasks);
  await becomes(client.tasks, "live");
  server.updateTask(running("a", 1));
  await recorder.count(2);
  await server.kill();
  await becomes(client.tasks, "offline");
  server.tasks = [completed("a"), task("b")];
  await server.start();
  await becomes(client.tasks, "live");
  expect(recorder.events.at(-1)).toEqual({ type: "resync", tasks: [completed("a"), task("b")] });
  server.updateTask(running("b", 1));
  await recorder.until((events) => events.at(-1)?.type === "task.update");
  expect(server.connections).toBe(1);
});

test("a server that is not there yet is waited for", async () => {
  await server.kill();
  const client = connect();
  const recorder = new Recorder(client.device);
  await becomes(client.device, "offline");
  await server.start();
  await recorder.count(1);
  expect(recorder.events).toMatchObject([{ type: "resync", device: { name: "one" } }]);
});

test("a pulled cable is noticed after 75 s of silence, and the state is fetched anew", async () => {
  const proxy = await TcpProxy.to(server.port);
  const clock = new FakeClock();
  const requested = new Recorder<string>({ subscribe: () => () => {} });
  const client = connect({
    url: proxy.url,
    clock,
    fetch(url, init) {
      requested.add(url);
      return fetch(url, init);
    },
  });
  const recorder = new Recorder(client.device);
  await becomes(client.device, "live");
  proxy.pullCable();
  server.updateDevice(device("two"), null);
  await clock.advance(74_000);
  expect(client.device.state).toBe("live");
  await clock.advance(1000);
  expect(client.device.state).toBe("offline");
  await clock.advance(500);
  // The kept-alive REST connection hangs on the same dead cable: its time-out makes way for a new one.
  await requested.count(2);
  await clock.advance(10_500);
  await recorder.count(2);
  expect(recorder.events).toMatchObject([
    { type: "resync", device: { name: "one" } },
    { type: "resync", device: { name: "two" } },
  ]);
  client.close();
  await proxy.close();
});

test("a stalled server is taken for dead, one that only pings is not", async () => {
  const clock = new FakeClock();
  const client = connect({ clock });
  const recorder = new Recorder(client.tasks);
  await recorder.count(1);
  for (let beat = 1; beat <= 5; beat++) {
    await clock.advance(30_000);
    server.publish("tasks", { type: "ping" });
    await server.seen.until((lines) => lines.filter((line) => line.includes('"pong"')).length === beat);
  }
  expect(client.tasks.state).toBe("live");
  await clock.advance(75_000);
  expect(client.tasks.state).toBe("offline");
  await clock.advance(500);
  await recorder.count(2);
});

test("1012 with retry_after_ms keeps the client away for as long as the server asked", async () => {
  const clock = new FakeClock();
  const client = connect({ clock, random: () => 0 });
  const recorder = new Recorder(client.tasks);
  await recorder.count(1);
  server.closeSockets(1012, JSON.stringify({ retry_after_ms: 5000 }));
  await becomes(client.tasks, "offline");
  await clock.advance(4999);
  expect(client.tasks.state).toBe("offline");
  await clock.advance(1);
  await recorder.count(2);
  expect(server.seen.events.filter((line) => line === "open tasks")).toHaveLength(2);
});

test("4009 reconnects at once", async () => {
  const clock = new FakeClock();
  const client = connect({ clock });
  const recorder = new Recorder(client.tasks);
  await recorder.count(1);
  server.closeSockets(4009, "resync");
  await becomes(client.tasks, "offline");
  await clock.advance(0);
  await recorder.count(2);
});

test("4401 is the end: the loop throws and nothing is tried again", async () => {
  const client = connect();
  const loop = (async () => {
    for await (const event of client.tasks) if (event.type === "resync") server.closeSockets(4401);
  })();
  await expect(loop).rejects.toThrow("closed with 4401: unauthorised");
  expect(client.tasks.state).toBe("closed");
  expect(server.seen.events.filter((line) => line === "open tasks")).toHaveLength(1);
});

test("garbage and bytes are notices; the connection and the events after them survive", async () => {
  const client = connect({
    validate: { tasks: namespaces.tasks.event, device: namespaces.device.event },
  });
  const recorder = new Recorder(client.tasks);
  await recorder.count(1);
  for (const garbage of ["{", "[]", '"x"', "", '{"type":"task.update","task":{"id":1}}']) {
    server.publish("tasks", garbage);
  }
  server.publish("tasks", Buffer.from([0, 255]));
  server.publish("tasks", { type: "task.flying" });
  server.updateTask(running("a", 1));
  await recorder.count(8);
  expect(recorder.events.map(({ type }) => type)).toEqual([
    "resync",
    ...Array(6).fill("invalid"),
    "task.update",
  ]);
  expect(server.connections).toBe(1);
});

test("REST that fails three times delays the state and loses no event", async () => {
  let failures = 3;
  server.answer = () => (failures-- > 0 ? { status: 500, body: "Internal Server Error" } : undefined);
  const errors: unknown[] = [];
  const client = connect({ onError: (error) => errors.push(error) });
  const recorder = new Recorder(client.tasks);
  await server.seen.until((lines) => lines.includes("open tasks"));
  server.updateTask(running("a", 1));
  await recorder.count(2);
  expect(recorder.events).toMatchObject([
    { type: "resync", tasks: [{ id: "a" }] },
    { type: "task.update", task: { id: "a" } },
  ]);
  expect(errors).toMatchObject(
    Array.from({ length: 3 }, () => ({ status: 500, detail: "Internal Server Error" })),
  );
});

test("events that race with a slow REST answer are applied after it, so the newest state wins", async () => {
  let release = () => {};
  server.tasks = [running("a", 1)];
  const old = JSON.stringify(server.tasks);
  server.answer = () => new Promise((resolve) => (release = () => resolve({ status: 200, body: old })));
  const client = connect();
  const recorder = new Recorder(client.tasks);
  await server.seen.until((lines) => lines.includes("GET /latest/tasks/"));
  server.updateTask(running("a", 2));
  server.updateTask(completed("a"));
  // A second stream of the same server is live when these have been sent, so they are on their way.
  server.publish("tasks", { type: "ping" });
  await server.seen.until((lines) => lines.some((line) => line.includes("pong")));
  expect(recorder.events).toEqual([]);
  release();
  await recorder.count(3);
  expect(client.tasks.snapshot).toEqual({ type: "resync", tasks: [completed("a")] });
  expect(recorder.events[0]).toEqual({ type: "resync", tasks: [running("a", 1)] });
});

test("a device without a configuration is reported once, and again when it has one", async () => {
  server.device = null;
  const client = connect();
  const recorder = new Recorder(client.device);
  await recorder.count(1);
  server.updateDevice(device("configured"), null);
  await recorder.count(2);
  expect(recorder.events).toMatchObject([
    { type: "resync", device: null },
    { type: "device.status", device: { name: "configured" }, changed: null },
  ]);
  expect(server.seen.events.filter((line) => line.startsWith("GET"))).toHaveLength(1);
});

test("fifty subscribers share a connection, and the last one to leave closes it", async () => {
  const client = connect({ lingerMs: 0 });
  const recorders = Array.from({ length: 50 }, () => new Recorder(client.tasks));
  await Promise.all(recorders.map((recorder) => recorder.count(1)));
  expect(server.connections).toBe(1);
  for (const recorder of recorders) recorder.stop();
  await server.seen.until((lines) => lines.includes("close tasks 1000"));
  expect(client.tasks.state).toBe("offline");
});

test("breaking out of a loop closes the connection too", async () => {
  const client = connect({ lingerMs: 0 });
  for await (const event of client.device) {
    expect(event).toMatchObject({ type: "resync" });
    break;
  }
  await server.seen.until((lines) => lines.includes("close device 1000"));
});
