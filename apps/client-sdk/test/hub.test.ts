import { namespaces } from "@openscan/protocol";
import { afterEach, beforeEach, expect, test } from "vitest";
import { WebSocket } from "ws";
import { createScannerClient, type ScannerClient, type ScannerClientOptions } from "../src/index.js";
import { becomes } from "./support/becomes.js";
import { completed, device, running, task } from "./support/fixtures.js";
import { HubServer } from "./support/hub-server.js";
import { revised } from "./support/messages.js";
import { deviceEvents, Recorder, taskEvents } from "./support/recorder.js";

let server: HubServer;
let clients: ScannerClient[] = [];

beforeEach(async () => {
  server = await HubServer.start();
});
afterEach(async () => {
  for (const client of clients) client.close();
  clients = [];
  await server.kill();
});

/** Real sockets and real time, with delays of at most a few milliseconds. */
function connect(options: Partial<ScannerClientOptions> = {}) {
  const errors: unknown[] = [];
  const client = createScannerClient({
    url: server.url,
    WebSocket,
    random: () => 0.01,
    onError: (error) => errors.push(error),
    fetch: async () => {
      throw new Error("v1 needs no REST");
    },
    ...options,
  });
  clients.push(client);
  return { client, errors };
}

const photo = (n: number) => ({
  ...namespaces.tasks.events["photo.captured"].schema.parse(example),
  scan: n,
});
const example = {
  type: "photo.captured",
  task_id: "a",
  project: "p",
  scan: 0,
  file: "f",
  theta: 0,
  fi: 0,
  stack_index: null,
  sharpness: null,
  url: "/",
};
const scans = (recorder: Recorder<{ readonly type: string }>) =>
  recorder.events.flatMap((event) => ("scan" in event ? [event.scan] : []));

test("state and events of both namespaces arrive, deltas as whole devices", async () => {
  server.tasks = [revised(task("a"), 0)];
  const { client, errors } = connect();
  const tasks = new Recorder(taskEvents(client));
  const devices = new Recorder(deviceEvents(client));
  await tasks.count(1);
  await devices.count(1);
  for (let n = 0; n < 300; n++) server.updateTask(revised(running("a", n), n + 1));
  for (let n = 0; n < 150; n++) server.updateDevice(device(`d${n}`), ["name"]);
  await tasks.until((events) => JSON.stringify(events.at(-1)).includes('"current":299'));
  await devices.until((events) => JSON.stringify(events.at(-1)).includes('"d149"'));
  expect(client.tasks.get()).toEqual({ state: server.tasks, freshness: { status: "live" } });
  expect(client.device.get()).toEqual({ state: server.device, freshness: { status: "live" } });
  expect(devices.events.at(-1)).toMatchObject({ type: "device.status", device: { name: "d149" } });
  expect(errors).toEqual([]);
});

test("cut again and again, every fact arrives once and in order, and nothing is lost", async () => {
  const { client, errors } = connect();
  const tasks = new Recorder(taskEvents(client));
  await tasks.count(1);
  for (let round = 0; round < 10; round++) {
    for (let n = 0; n < 10; n++) server.tell("tasks", photo(round * 10 + n));
    server.cut();
    server.updateTask(revised(running("a", round), round));
    await becomes(client.tasks, "stale");
    await becomes(client.tasks, "live");
  }
  await tasks.until(() => scans(tasks).length >= 100);
  expect(scans(tasks)).toEqual(Array.from({ length: 100 }, (_, n) => n));
  expect(tasks.events.filter(({ type }) => type === "resync")).toHaveLength(1);
  expect(client.tasks.get().state).toEqual(server.tasks);
  expect(server.upgrades.filter((url) => url.includes("since="))).toHaveLength(10);
  expect(errors).toEqual([]);
});

test("a server that is killed and comes back is found again: a loss is told, and its state is the new one", async () => {
  const { client } = connect();
  const tasks = new Recorder(taskEvents(client));
  await tasks.count(1);
  server.updateTask(revised(running("a", 1), 1));
  await tasks.count(2);
  await server.kill();
  await becomes(client.tasks, "offline");
  expect(client.tasks.get().state).toEqual([revised(running("a", 1), 1)]);
  server.tasks = [revised(completed("a"), 0), revised(task("b"), 0)];
  await server.start();
  await becomes(client.tasks, "live");
  expect(tasks.events.at(-1)).toEqual({ type: "resync", state: server.tasks, lost: true });
  server.updateTask(revised(running("b", 1), 1));
  await tasks.count(4);
  expect(client.tasks.get().state).toEqual(server.tasks);
});

test("a server that is updated says when to come back", async () => {
  const { client } = connect();
  await becomes(client.device, "live");
  const closing = server.close(1012, JSON.stringify({ retry_after_ms: 50 }));
  await becomes(client.device, "stale");
  await closing;
  server.device = device("updated");
  await server.start();
  await becomes(client.device, "live");
  expect(client.device.get().state?.name).toBe("updated");
});

test("a token passes as a subprotocol; one that is refused ends it for good, and is in no URL", async () => {
  const offered: (string | undefined)[] = [];
  server.admit = ({ headers }) => {
    offered.push(headers["sec-websocket-protocol"]);
    if (headers["sec-websocket-protocol"]?.includes("openscan.bearer.c2VzYW1l")) return undefined;
    return { status: 401, detail: "a token is needed", closeCode: 4401 };
  };
  const { client } = connect({ token: async () => "sesame" });
  await becomes(client.device, "live");
  const refused = connect({ token: () => "wrong" });
  await expect(refused.client.device.events().next()).rejects.toThrow("closed with 4401 a token is needed");
  expect(refused.errors).toMatchObject([{ closeCode: 4401, final: true }]);
  expect(offered).toEqual(["openscan.v1,openscan.bearer.c2VzYW1l", "openscan.v1,openscan.bearer.d3Jvbmc"]);
  expect(server.upgrades.join()).not.toMatch(/sesame|wrong|bearer/);
});

test("filters reach the hub", async () => {
  const { client, errors } = connect({
    tasks: { types: ["photo.captured"], ids: ["a"] },
    device: { paths: ["motors.*"], minIntervalMs: 5 },
  });
  const tasks = new Recorder(taskEvents(client));
  const devices = new Recorder(deviceEvents(client));
  await tasks.count(1);
  await devices.count(1);
  server.updateTask(revised(running("a", 1), 1));
  server.tell("tasks", { ...photo(1), task_id: "b" });
  server.tell("tasks", photo(2));
  server.updateDevice(device("unseen"), ["lights.ring.is_on"]);
  server.updateDevice(device("seen"), ["motors.m.angle"]);
  await tasks.count(2);
  await devices.count(2);
  server.cut();
  await becomes(client.tasks, "stale");
  server.tell("tasks", photo(3));
  await tasks.count(3);
  expect(scans(tasks)).toEqual([2, 3]);
  expect(devices.events[1]).toMatchObject({ device: { name: "seen" } });
  expect(errors).toEqual([]);
});

test("a message is checked with the schemas of the protocol", async () => {
  const { client, errors } = connect({
    validate(message, namespace) {
      const { events, derived, snapshotSchema } = namespaces[namespace];
      const known = { ...events, ...derived } as unknown as Record<
        string,
        { schema: typeof snapshotSchema } | undefined
      >;
      const schema = message["snapshot"] ? snapshotSchema : known[message.type]?.schema;
      schema?.parse(message);
    },
  });
  const tasks = new Recorder(taskEvents(client));
  const devices = new Recorder(deviceEvents(client));
  await tasks.count(1);
  await devices.count(1);
  server.tell("tasks", { ...photo(1), theta: "north" as never });
  server.tell("tasks", photo(2));
  server.updateDevice(device("two"), ["name"]);
  await tasks.count(2);
  await devices.count(2);
  expect(scans(tasks)).toEqual([2]);
  expect(errors.map(String)).toEqual([expect.stringContaining("theta")]);
});

test("fifty subscribers share a connection, and the last one to leave closes it", async () => {
  const { client } = connect({ lingerMs: 0 });
  const recorders = Array.from({ length: 50 }, () => new Recorder(taskEvents(client)));
  await Promise.all(recorders.map((recorder) => recorder.count(1)));
  expect(server.upgrades).toHaveLength(1);
  for (const recorder of recorders) recorder.stop();
  await server.emptied();
  for await (const event of client.device) {
    expect(event.type).toBe("resync");
    break;
  }
  await server.emptied();
  expect(client.tasks.get().freshness).toEqual({ status: "offline" });
});
