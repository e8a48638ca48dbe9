import { Socket } from "node:net";
import { Hello, namespaces, Ping } from "@openscan/protocol";
import { silentLogger, systemClock } from "@openscan/runtime";
import { expect, test, vi } from "vitest";
import {
  deviceEvent,
  legacyText,
  openRig,
  type Received,
  type Rig,
  taskEnded,
  taskUpdate,
} from "../test/rig.js";
import { Hub } from "./index.js";

/** The chain: [prev, seq] of every event. */
const places = (messages: readonly Received[]) =>
  messages
    .filter(({ seq, type }) => seq !== undefined && type !== "hello")
    .map(({ prev, seq }) => [prev, seq]);

/** A legacy connection that becomes v1 with its first word. */
async function subscribed(rig: Rig, options: object = {}) {
  const client = await rig.connect("tasks");
  client.say({ type: "subscribe", ...options });
  return client;
}

test.each([
  ["a query", (rig: Rig) => rig.connect("tasks", "v=1")],
  ["a subprotocol", (rig: Rig) => rig.connect("tasks", "", ["openscan.v1"])],
  ["a first subscribe", (rig: Rig) => subscribed(rig)],
])("%s leads to v1: hello, the snapshot, then every event in its envelope", async (_, connect) => {
  await using rig = await openRig();
  rig.publish("tasks", taskUpdate(1));
  rig.publish("tasks", taskUpdate(2));
  const client = await connect(rig);
  await client.received(2);
  rig.publish("tasks", taskUpdate(3));
  await client.received(3);
  const ts = "2026-01-01T00:00:00.000Z";
  expect(client.parsed).toEqual([
    {
      type: "hello",
      protocol: 1,
      server: { name: "test", version: "1.2.3", instance: "id-2" },
      namespace: "tasks",
      epoch: "id-1",
      seq: 2,
      now: ts,
      heartbeat_ms: 30_000,
      resume: { max_events: 4096, max_age_ms: 3_600_000, recovered: null },
    },
    { type: "tasks.snapshot", tasks: [taskUpdate(2).task], snapshot: true, seq: 2, prev: null, ts },
    { ...taskUpdate(3), seq: 3, prev: 2, ts },
  ]);
  expect(Hello.parse(client.parsed[0])).toEqual(client.parsed[0]);
  expect(namespaces.tasks.snapshotSchema.safeParse(client.parsed[1]).success).toBe(true);
  expect(rig.hub.stats()).toMatchObject({
    connections: { tasks: { legacy: 0, v1: 1 } },
    snapshots: 1,
    resumes: { recovered: 0, refused: 0 },
  });
  expect(rig.hub.position("tasks")).toEqual({ epoch: "id-1", seq: 3 });
});

test("the snapshot is cut at hello's seq, whatever the same turn publishes", async () => {
  await using rig = await openRig();
  const witness = await rig.connect("tasks", "v=1");
  rig.server.prependOnceListener("upgrade", () => rig.publish("tasks", taskUpdate(1)));
  rig.server.once("upgrade", () => rig.publish("tasks", taskUpdate(2)));
  const client = await rig.connect("tasks", "v=1");
  await Promise.all([client.received(3), witness.received(4)]);
  expect(places(client.parsed)).toEqual([
    [null, 1],
    [1, 2],
  ]);
  expect(places(witness.parsed)).toEqual([
    [null, 0],
    [0, 1],
    [1, 2],
  ]);
});

test.each(["v=2", "v=", "v=1.0", "v=1&v=2", "v=01"])(
  "a version that does not exist (%s) is refused with 4406",
  async (query) => {
    await using rig = await openRig();
    const client = await rig.connect("tasks", query);
    expect((await client.closed).code).toBe(4406);
    const modern = await rig.connect("tasks", query, ["openscan.v1"]);
    expect((await modern.closed).code).toBe(4406);
    expect([...client.messages, ...modern.messages]).toEqual([]);
    expect(rig.hub.stats().connections.tasks).toEqual({ legacy: 0, v1: 0 });
  },
);

test("without a version, the query means nothing", async () => {
  await using rig = await openRig();
  const client = await rig.connect("tasks", "types=none&since=99&epoch=x&delta=1&V=1&min_interval=60000");
  rig.publish("tasks", taskUpdate(1));
  rig.publish("tasks", taskUpdate(2));
  await client.received(2);
  expect(client.messages).toEqual([legacyText(taskUpdate(1)), legacyText(taskUpdate(2))]);
});

test("subscribe is only heard as the first word of a legacy client", async () => {
  await using rig = await openRig();
  const client = await rig.connect("tasks");
  client.say({ type: "pong" });
  client.say({ type: "subscribe" });
  await client.inStep();
  rig.publish("tasks", taskUpdate(1));
  await client.received(1);
  expect(client.messages).toEqual([legacyText(taskUpdate(1))]);
});

test("after hello nothing legacy comes, not even what was published in the same turn", async () => {
  await using rig = await openRig();
  const client = await rig.connect("tasks");
  rig.publish("tasks", taskUpdate(1));
  await client.received(1);
  client.say({ type: "subscribe", since: 1, epoch: "id-1" });
  while (!client.messages.some((text) => text.includes('"hello"'))) {
    rig.publish("tasks", taskUpdate(rig.hub.position("tasks").seq));
    await client.received(client.messages.length + 1);
  }
  rig.publish("tasks", taskEnded(0));
  while (!client.messages.at(-1)?.includes('"status":"completed"'))
    await client.received(client.messages.length + 1);
  const at = client.parsed.findIndex(({ type }) => type === "hello");
  expect(client.parsed.slice(0, at).every(({ seq }) => seq === undefined)).toBe(true);
  expect(client.parsed[at]?.resume?.recovered).toBe(true);
  let last = 1;
  for (const { prev, seq } of client.parsed.slice(at + 1)) {
    expect(prev).toBe(last);
    last = seq ?? 0;
  }
  expect(last).toBe(rig.hub.position("tasks").seq);
});

test("subscribe replaces the filter and is answered by a fresh snapshot", async () => {
  await using rig = await openRig();
  const client = await rig.connect("tasks", "v=1&types=task.deleted");
  rig.publish("tasks", taskUpdate(1));
  await client.inStep();
  expect(client.messages).toHaveLength(2);
  client.say({ type: "subscribe", ids: ["other"] });
  await client.received(3);
  rig.publish("tasks", taskUpdate(2));
  rig.publish("tasks", { type: "task.deleted", id: "other" });
  await client.received(4);
  expect(client.parsed.slice(2)).toMatchObject([
    { type: "tasks.snapshot", tasks: [], seq: 1, prev: null },
    { type: "task.deleted", seq: 3, prev: 1 },
  ]);
  client.say({ type: "subscribe", since: 1, epoch: "id-1" });
  await client.received(5);
  expect(client.parsed.slice(4)).toMatchObject([{ tasks: [taskUpdate(2).task], seq: 3, prev: null }]);
  expect(client.parsed.filter(({ type }) => type === "hello")).toHaveLength(1);
});

test.each([
  ["not JSON", "{broken"],
  ["not an object", '"subscribe"'],
  ["null", "null"],
  ["another type", '{"type":"pong"}'],
  ["no type", '{"delta":true}'],
])("text of a v1 client that is %s is ignored", async (_, text) => {
  await using rig = await openRig();
  const client = await rig.connect("tasks", "v=1");
  client.socket.send(text);
  await client.inStep();
  expect(client.messages).toHaveLength(2);
});

test.each([
  ["types=", ["types"]],
  ["types=a,,b", ["types"]],
  ["since=-1&epoch=x", ["since"]],
  ["since=1.5", ["since"]],
  ["since=99999999999999999999", ["since"]],
  ["min_interval=x&delta=maybe", ["min_interval", "delta"]],
  ["min_interval=60001", ["min_interval"]],
  [`epoch=${"x".repeat(65)}`, ["epoch"]],
  [`ids=${"a,".repeat(64)}a`, ["ids"]],
  ["unknown=1&delta=1&delta=0&ids=a&ids=b&v=1&%ff&=&&", []],
])("a bad value (%s) is an error after hello, and counts as absent", async (query, names) => {
  await using rig = await openRig();
  const client = await rig.connect("tasks", `v=1&${query}`);
  await client.received(2 + names.length);
  await client.inStep();
  const [hello, ...rest] = client.parsed;
  expect(hello).toMatchObject({ type: "hello", resume: { recovered: null } });
  expect(rest.slice(0, -1).map(({ type, code, message }) => [type, code, message?.split(":")[0]])).toEqual(
    names.map((name) => ["error", "invalid", name]),
  );
  expect(rest.at(-1)).toMatchObject({ type: "tasks.snapshot" });
});

test("bad values in subscribe are errors too, before the snapshot", async () => {
  await using rig = await openRig();
  const client = await subscribed(rig, { types: "task.update", delta: 1, since: "1" });
  await client.received(5);
  expect(client.parsed.map(({ type }) => type)).toEqual([
    "hello",
    "error",
    "error",
    "error",
    "tasks.snapshot",
  ]);
  client.say({ type: "subscribe", min_interval: -1 });
  await client.received(7);
  expect(client.parsed.slice(5)).toMatchObject([
    { type: "error", code: "invalid" },
    { type: "tasks.snapshot" },
  ]);
});

test.each([
  ["tasks", "paths=motors", "paths"],
  ["device", "ids=7f9c", "ids"],
] as const)("a filter that %s does not have is an error", async (namespace, query, name) => {
  await using rig = await openRig();
  const client = await rig.connect(namespace, `v=1&${query}`);
  await client.received(3);
  expect(client.parsed[1]).toMatchObject({ type: "error", code: "unsupported" });
  expect(client.parsed[1]?.message).toContain(name);
  expect(client.parsed[2]).toMatchObject({ snapshot: true });
});

test("a ping tells the last event that was sent", async () => {
  await using rig = await openRig();
  const client = await rig.connect("tasks", "v=1&types=task.deleted");
  const back = await rig.connect("tasks", "v=1&since=0&epoch=id-1");
  rig.publish("tasks", taskUpdate(1));
  await back.received(2);
  await rig.clock.advance(30_000);
  await Promise.all([client.received(3), back.received(3)]);
  expect(client.messages[2]).toBe('{"type":"ping","last":0}');
  expect(back.messages[2]).toBe('{"type":"ping","last":1}');
  expect(Ping.safeParse(client.parsed[2]).success).toBe(true);
});

test("connections that are in step share one buffer, whatever they asked for", async () => {
  await using rig = await openRig();
  const clients = await Promise.all([
    rig.connect("device", "v=1"),
    rig.connect("device", "v=1"),
    rig.connect("device", "v=1&types=device.status"),
    rig.connect("device", "v=1&types=device.status"),
    rig.connect("device", "v=1&delta=1"),
    rig.connect("device", "v=1&delta=1"),
    rig.connect("device"),
    rig.connect("device"),
  ]);
  rig.publish("device", deviceEvent(1));
  await Promise.all(clients.slice(0, 6).map((client) => client.received(3)));
  const write = vi.spyOn(Socket.prototype, "write");
  try {
    for (let radius = 2; radius < 10; radius++) rig.publish("device", deviceEvent(radius));
    expect(write).not.toHaveBeenCalled();
    await Promise.all(clients.slice(0, 6).map((client) => client.received(3 + 8)));
    const buffers = write.mock.calls.map(([bytes]) => bytes);
    expect(buffers).toHaveLength(8);
    expect(new Set(buffers).size).toBe(4);
  } finally {
    write.mockRestore();
  }
});

test("a state that cannot be told ends that connection alone, and publishing goes on", async () => {
  await using rig = await openRig();
  const [witness, old] = await Promise.all([rig.connect("tasks", "v=1"), rig.connect("tasks")]);
  rig.scanner.fault = new Error("no state today");
  const client = await rig.connect("tasks", "v=1");
  expect((await client.closed).code).toBe(1011);
  expect(client.parsed.map(({ type }) => type)).toEqual(["hello"]);
  rig.hub.publish("tasks", taskUpdate(1));
  await Promise.all([witness.received(3), old.received(1)]);
  expect(rig.log.lines).toMatchObject([{ level: "error", fields: { err: { message: "no state today" } } }]);
});

test("an event that cannot be serialised leaves no gap", async () => {
  await using rig = await openRig();
  const client = await rig.connect("tasks", "v=1");
  rig.publish("tasks", taskUpdate(1));
  const broken = taskUpdate(2);
  broken.task.result = 1n;
  rig.hub.publish("tasks", broken);
  rig.publish("tasks", taskUpdate(3));
  await client.received(4);
  expect(places(client.parsed)).toEqual([
    [null, 0],
    [0, 1],
    [1, 2],
  ]);
});

test("two hubs never share an epoch", async () => {
  await using first = await openRig();
  const make = () =>
    new Hub({
      clock: systemClock,
      log: silentLogger,
      server: { name: "a", version: "1" },
      state: { tasks: () => [], device: () => first.scanner.device() },
    }).position("tasks").epoch;
  expect(make()).not.toBe(make());
});

test("the age of the oldest pong, and the time that a flush took, are told", async () => {
  const flushed: unknown[] = [];
  await using rig = await openRig({}, undefined, (namespace, seconds) => flushed.push([namespace, seconds]));
  expect(rig.hub.stats().oldestPongMs).toBe(0);
  const client = await rig.connect("tasks", "v=1");
  const dead = await rig.connectRaw();
  await rig.clock.advance(20_000);
  await client.inStep();
  await rig.clock.advance(5_000);
  expect(rig.hub.stats().oldestPongMs).toBe(25_000);
  dead.destroy();
  while (rig.hub.stats().connections.tasks.legacy > 0) await client.inStep();
  expect(rig.hub.stats().oldestPongMs).toBe(5_000);
  rig.publish("device", deviceEvent(1));
  rig.publish("tasks", taskUpdate(1));
  await client.received(3);
  expect(flushed).toEqual([["tasks", 0]]);
});
