import { settle } from "@openscan/runtime/testing";
import { expect, test } from "vitest";
import { fakeScanner } from "../test/support/fake-scanner.js";
import { device, running, task } from "../test/support/fixtures.js";
import {
  delta,
  deviceSnapshot,
  hello,
  revised,
  status,
  tasksSnapshot,
  told,
  update,
} from "../test/support/messages.js";

const photo = (file: string) => ({ type: "photo.captured", task_id: "a", file });

test("a v1 server is asked for in the query; its snapshot and events arrive, and no REST is needed", () => {
  const { client, accept, tasks, sockets, rest, errors } = fakeScanner();
  const seen = tasks();
  expect(sockets.last).toMatchObject({
    url: "ws://scanner:8000/latest/ws/tasks?v=1",
    protocols: undefined,
  });
  accept(hello(4), tasksSnapshot(4, task("a")), told(5, update(revised(running("a", 1), 2))));
  expect(seen.events).toEqual([
    { type: "resync", state: [task("a")], lost: false },
    told(5, update(revised(running("a", 1), 2))),
  ]);
  expect(client.tasks.get()).toEqual({
    state: [revised(running("a", 1), 2)],
    freshness: { status: "live" },
  });
  expect([rest.requests, errors]).toEqual([[], []]);
});

test("filters and the wish for deltas are in the query", () => {
  const { client, sockets } = fakeScanner({
    tasks: { types: ["task.update", "task.deleted"], ids: ["a b"], minIntervalMs: 200 },
    device: { paths: ["motors.*"], delta: false },
  });
  client.tasks.subscribe(() => {});
  client.device.subscribe(() => {});
  expect(sockets.made.map(({ url }) => url)).toEqual([
    "ws://scanner:8000/latest/ws/tasks?v=1&types=task.update%2Ctask.deleted&ids=a+b&min_interval=200",
    "ws://scanner:8000/latest/ws/device?v=1&paths=motors.*",
  ]);
});

test("after a loss the stream goes on where it stopped: no snapshot, every fact once, in order", async () => {
  const { client, accept, tasks, sockets, clock } = fakeScanner();
  const seen = tasks();
  accept(hello(4), tasksSnapshot(4), told(6, photo("1"), 4));
  sockets.last.drop();
  await clock.advance(500);
  expect(sockets.last.url).toBe("ws://scanner:8000/latest/ws/tasks?v=1&since=6&epoch=epoch");
  accept(hello(9, true));
  expect(client.tasks.get().freshness).toEqual({ status: "resyncing" });
  sockets.last.receive(told(7, photo("2"), 6));
  expect(client.tasks.get().freshness).toEqual({ status: "resyncing" });
  sockets.last.receive(told(9, photo("3"), 7));
  expect(client.tasks.get().freshness).toEqual({ status: "live" });
  expect(seen.events.map((event) => ("file" in event ? event.file : event.type))).toEqual([
    "resync",
    "1",
    "2",
    "3",
  ]);
});

test("a resume with nothing to tell is live at once, and so is one whose newest event may be filtered", async () => {
  const { client, accept, tasks, sockets, clock } = fakeScanner();
  tasks();
  accept(hello(4), tasksSnapshot(4));
  sockets.last.drop();
  await clock.advance(500);
  accept(hello(4, true));
  expect(client.tasks.get().freshness).toEqual({ status: "live" });

  const filtered = fakeScanner({ tasks: { ids: ["a"] } });
  filtered.tasks();
  filtered.accept(hello(4), tasksSnapshot(4));
  filtered.sockets.last.drop();
  await filtered.clock.advance(500);
  filtered.accept(hello(9, true));
  expect(filtered.client.tasks.get().freshness).toEqual({ status: "live" });
});

test("a ping that tells of nothing newer ends a resume too", async () => {
  const { client, accept, tasks, sockets, clock } = fakeScanner();
  tasks();
  accept(hello(4), tasksSnapshot(4));
  sockets.last.drop();
  await clock.advance(500);
  accept(hello(5, true), { type: "ping", last: null });
  expect(client.tasks.get().freshness).toEqual({ status: "resyncing" });
  sockets.last.receive({ type: "ping", last: 4 });
  expect(client.tasks.get().freshness).toEqual({ status: "live" });
});

test("a refused resume is a loss that is told, followed by the right state", async () => {
  const { client, accept, tasks, sockets, clock } = fakeScanner();
  const seen = tasks();
  accept(hello(4), tasksSnapshot(4, task("a")));
  sockets.last.drop();
  await clock.advance(500);
  accept(hello(900, false), tasksSnapshot(900, task("b")));
  expect(seen.events).toEqual([
    { type: "resync", state: [task("a")], lost: false },
    { type: "resync", state: [task("b")], lost: true },
  ]);
  expect(client.tasks.get().state).toEqual([task("b")]);
});

test("a restarted server counts anew: its low numbers are no duplicates", async () => {
  const { accept, tasks, sockets, clock } = fakeScanner();
  const seen = tasks();
  accept(hello(400), tasksSnapshot(400));
  sockets.last.drop();
  await clock.advance(500);
  accept(hello(0, false, "other"), tasksSnapshot(0), told(1, photo("1")));
  sockets.last.drop();
  await clock.advance(1000);
  expect(sockets.last.url).toContain("since=1&epoch=other");
  expect(seen.events.map(({ type }) => type)).toEqual(["resync", "resync", "photo.captured"]);
});

test("a server that claims to resume another epoch is not believed", async () => {
  const { accept, tasks, sockets, clock, errors } = fakeScanner();
  tasks();
  accept(hello(4), tasksSnapshot(4));
  sockets.last.drop();
  await clock.advance(500);
  accept(hello(4, true, "other"));
  await settle();
  expect(errors).toMatchObject([{ gap: true }]);
  await clock.advance(1000);
  expect(sockets.last.url).not.toContain("since");
});

test("a gap is reported, not applied, and repaired at once by a resume", async () => {
  const { client, accept, tasks, sockets, clock, errors } = fakeScanner();
  const seen = tasks();
  accept(hello(4), tasksSnapshot(4), told(7, photo("3"), 6));
  expect(sockets.last.closed).toBe(1000);
  expect(client.tasks.get().freshness).toEqual({ status: "stale", ageMs: 0 });
  await clock.advance(0);
  expect(errors).toMatchObject([
    { name: "ConnectionError", gap: true, message: expect.stringContaining("missing after seq 4") },
  ]);
  expect(sockets.last.url).toContain("since=4&epoch=epoch");
  accept(hello(7, true), told(5, photo("1"), 4), told(6, photo("2")), told(7, photo("3")));
  expect(seen.events.map((event) => ("file" in event ? event.file : event.type))).toEqual([
    "resync",
    "1",
    "2",
    "3",
  ]);
});

test("a server that leaves gaps again and again is not asked in a hurry", async () => {
  const { accept, tasks, sockets, clock } = fakeScanner();
  tasks();
  accept(hello(4), tasksSnapshot(4), told(7, photo("3"), 6));
  await clock.advance(0);
  accept(hello(7, true), told(7, photo("3"), 6));
  await clock.advance(999);
  expect(sockets.made).toHaveLength(2);
  await clock.advance(1);
  expect(sockets.made).toHaveLength(3);
});

test("events before any snapshot are a gap", async () => {
  const { accept, tasks, sockets, clock, errors } = fakeScanner();
  const seen = tasks();
  accept(hello(4), told(5, photo("1")));
  await clock.advance(500);
  expect(errors).toMatchObject([{ message: expect.stringContaining("missing before the snapshot") }]);
  expect([seen.events, sockets.made.length]).toEqual([[], 2]);
});

test("a lost hello is noticed by what follows it", async () => {
  const { accept, tasks, clock, errors } = fakeScanner();
  const seen = tasks();
  accept(tasksSnapshot(4));
  await clock.advance(500);
  accept({ type: "ping", last: 4 });
  await settle();
  expect(errors).toMatchObject([{ gap: true }, { gap: true }]);
  expect(seen.events).toEqual([]);
});

test.each([[5], [3]])("a ping tells of a loss while nothing else comes (last is %s, not 4)", async (last) => {
  const { accept, tasks, sockets, clock, errors } = fakeScanner();
  tasks();
  accept(hello(4), tasksSnapshot(4), { type: "ping", last: 4 });
  await settle();
  expect(errors).toEqual([]);
  sockets.last.receive({ type: "ping", last });
  await clock.advance(0);
  expect(errors).toMatchObject([{ gap: true }]);
  expect(sockets.made[0]?.sent).toEqual(['{"type":"pong"}', '{"type":"pong"}']);
  expect(sockets.last.url).toContain("since=4");
});

test("duplicates are dropped", () => {
  const { accept, tasks, errors } = fakeScanner();
  const seen = tasks();
  const first = told(5, photo("1"));
  accept(hello(4), tasksSnapshot(4), told(3, photo("0")), first, first, told(6, photo("2")), first);
  expect(seen.events).toHaveLength(3);
  expect(errors).toEqual([]);
});

const amid = (seq: number, prev: number | null) => ({ ...tasksSnapshot(seq, task("a")), prev });

test("a snapshot amid the stream that continues the chain loses nothing", () => {
  const { client, accept, tasks, errors } = fakeScanner();
  const seen = tasks();
  accept(hello(4), tasksSnapshot(4), amid(9, 4), amid(9, 4), told(10, photo("1")));
  expect(seen.events).toMatchObject([
    { type: "resync", lost: false },
    { type: "resync", state: [{ id: "a" }], lost: false },
    { type: "photo.captured" },
  ]);
  expect([client.tasks.get().state, errors]).toEqual([[task("a")], []]);
});

test("one that has the seq of the event before it counts too", () => {
  const { client, accept, tasks } = fakeScanner();
  const seen = tasks();
  accept(hello(4), tasksSnapshot(4), told(5, photo("1")), amid(5, 5), told(6, photo("2")));
  expect(seen.events.map(({ type }) => type)).toEqual([
    "resync",
    "photo.captured",
    "resync",
    "photo.captured",
  ]);
  expect(client.tasks.get().state).toEqual([task("a")]);
});

test("one that does not is a gap, and one that starts a new chain a loss", async () => {
  const { accept, tasks, sockets, clock, errors } = fakeScanner();
  const seen = tasks();
  accept(hello(4), tasksSnapshot(4), amid(9, 5));
  await clock.advance(0);
  expect(errors).toMatchObject([{ gap: true }]);
  expect(sockets.last.url).toContain("since=4");
  accept(hello(4, true), amid(9, null));
  expect(seen.events).toEqual([
    { type: "resync", state: [], lost: false },
    { type: "resync", state: [task("a")], lost: true },
  ]);
});

test("the highest revision is the state, while each fact is told once", () => {
  const { client, accept, tasks } = fakeScanner();
  const seen = tasks();
  const created = told(5, update(revised(task("a"), 0)));
  accept(hello(4), tasksSnapshot(4, revised(running("a", 3), 7)), created);
  expect(client.tasks.get().state).toEqual([revised(running("a", 3), 7)]);
  expect(seen.events.at(-1)).toEqual(created);
});

test("a deleted task is gone", () => {
  const { client, accept, tasks } = fakeScanner();
  tasks();
  accept(hello(4), tasksSnapshot(4, task("a"), task("b")), told(5, { type: "task.deleted", id: "a" }));
  expect(client.tasks.get().state).toEqual([task("b")]);
});

test("types of the future reach events(), change no state and count for continuity", async () => {
  const { client, accept, sockets, errors } = fakeScanner();
  const loop = client.tasks.events();
  const future = told(5, { type: "task.flying", height: 3, set: 1 });
  accept(hello(4), tasksSnapshot(4, task("a")), future);
  const before = client.tasks.get();
  sockets.last.receive({ type: "weather", sun: true }, told(6, { type: "task.landed" }));
  expect(client.tasks.get()).toBe(before);
  await loop.next();
  expect((await loop.next()).value).toEqual(future);
  expect((await loop.next()).value).toMatchObject({ type: "task.landed" });
  expect(errors).toEqual([]);
  client.close();
});

test("deltas become whole states; what did not change keeps its identity", () => {
  const { client, accept, device: devices, sockets } = fakeScanner();
  const seen = devices();
  const one = device("one");
  accept(hello(4), deviceSnapshot(4, one));
  const before = client.device.get().state;
  sockets.last.receive(told(5, delta({ "/name": "two" }, [], ["name"])));
  const after = client.device.get().state;
  expect(seen.events.at(-1)).toEqual(told(5, status({ ...one, name: "two" }, ["name"])));
  expect(after).toEqual({ ...one, name: "two" });
  expect(after).not.toBe(before);
  expect(after?.motors).toBe(before?.motors);
  expect(before?.name).toBe("one");
});

test("a delta that does not fit the state is a gap", async () => {
  const { client, accept, device: devices, sockets, clock, errors } = fakeScanner();
  devices();
  accept(hello(4), deviceSnapshot(4, device("one")), told(5, delta({ "/motors/m/angle": 1 })));
  await clock.advance(0);
  expect(errors).toMatchObject([{ gap: true }]);
  expect(sockets.last.url).toBe("ws://scanner:8000/latest/ws/device?v=1&delta=1&since=4&epoch=epoch");
  accept(hello(5, true), told(5, status(device("two"), null)));
  expect(client.device.get()).toMatchObject({ state: { name: "two" }, freshness: { status: "live" } });
});

test("an event of no use is reported and counted; a delta to it is a gap", async () => {
  const { client, accept, device: devices, sockets, clock, errors } = fakeScanner();
  const seen = devices();
  const fault = { type: "device.fault", component: "motors.m", code: "timeout", message: "" };
  accept(hello(4), deviceSnapshot(4, device("one")), told(5, { type: "device.status" }), told(6, fault));
  await settle();
  expect(errors.map(String)).toEqual([expect.stringContaining("a message of no use: TypeError: the device")]);
  expect(seen.events.map(({ type }) => type)).toEqual(["resync", "device.fault"]);
  expect(client.device.get().freshness).toEqual({ status: "live" });
  sockets.last.receive(told(7, delta({ "/name": "three" })));
  await clock.advance(0);
  expect(errors[1]).toMatchObject({ gap: true });
  expect(sockets.last.url).toContain("since=6");
});

test("an event of no use is forgiven by the next whole state", async () => {
  const { client, accept, device: devices, errors } = fakeScanner();
  devices();
  accept(
    hello(4),
    deviceSnapshot(4, device("one")),
    told(5, { type: "device.status" }),
    told(6, status(device("two"), null)),
    told(7, delta({ "/name": "three" })),
  );
  await settle();
  expect(errors).toHaveLength(1);
  expect(client.device.get().state?.name).toBe("three");
});

test("garbage is reported, and what it hid is noticed as a gap", async () => {
  const { accept, tasks, sockets, errors } = fakeScanner();
  tasks();
  accept(hello(4), tasksSnapshot(4));
  sockets.last.receive("{", "[]", '"x"', "null", "{}");
  sockets.last.receiveBinary();
  await settle();
  expect(errors).toHaveLength(6);
  sockets.last.receive(told(6, photo("2")));
  await settle();
  expect(errors[6]).toMatchObject({ gap: true });
});

test("what the server says is wrong with the request is reported; the stream goes on", async () => {
  const { client, accept, tasks, errors } = fakeScanner();
  tasks();
  accept(hello(4), { type: "error", code: "invalid", message: "paths: none" }, tasksSnapshot(4));
  await settle();
  expect(errors.map(String)).toEqual([expect.stringContaining("paths: none")]);
  expect(client.tasks.get().freshness).toEqual({ status: "live" });
});

test("an event for which validate throws is left out", async () => {
  const refused = new Error("no");
  const asked: string[] = [];
  const { accept, tasks, errors } = fakeScanner({
    validate(message, namespace) {
      asked.push(`${namespace} ${message.type}`);
      if (message["file"] === "2") throw refused;
    },
  });
  const seen = tasks();
  accept(hello(4), tasksSnapshot(4), told(5, photo("1")), told(6, photo("2")), told(7, photo("3")));
  await settle();
  expect(seen.events.map((event) => ("file" in event ? event.file : event.type))).toEqual([
    "resync",
    "1",
    "3",
  ]);
  expect(errors).toMatchObject([{ cause: refused }]);
  expect(asked).toEqual(["tasks tasks.snapshot", ...Array(3).fill("tasks photo.captured")]);
});

test("an impossible snapshot does not start a stream", async () => {
  const { client, accept, device: devices, errors } = fakeScanner();
  devices();
  accept(hello(4), told(4, { type: "device.status", snapshot: true }, null));
  await settle();
  expect(client.device.get()).toEqual({ state: undefined, freshness: { status: "resyncing" } });
  expect(errors).toHaveLength(1);
});
