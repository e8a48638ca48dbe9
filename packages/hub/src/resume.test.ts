import { expect, test } from "vitest";
import { deviceEvent, openRig, type Received, taskEnded, taskUpdate } from "../test/rig.js";

const from = (since: number | string, epoch = "id-1") => `v=1&since=${since}&epoch=${epoch}`;
const places = (messages: readonly Received[]) => messages.slice(1).map(({ prev, seq }) => [prev, seq]);

test("a client that comes back gets the facts in order and progress collapsed, then the live stream", async () => {
  await using rig = await openRig();
  const fact = { type: "task.deleted", id: "x" } as const;
  rig.publish("tasks", taskUpdate(1)); // 1: known
  rig.publish("tasks", taskUpdate(2)); // 2
  rig.publish("tasks", fact); // 3
  rig.publish("tasks", taskUpdate(3)); // 4
  const paused = taskUpdate(4);
  paused.task.status = "paused";
  rig.publish("tasks", paused); // 5
  rig.publish("tasks", taskUpdate(5)); // 6
  rig.publish("tasks", taskUpdate(6)); // 7
  rig.publish("tasks", taskEnded(7)); // 8
  const client = await rig.connect("tasks", from(1));
  await client.received(6);
  rig.publish("tasks", taskUpdate(9)); // 9
  await client.received(7);
  expect(client.parsed[0]).toMatchObject({ type: "hello", seq: 8, resume: { recovered: true } });
  expect(places(client.parsed)).toEqual([
    [1, 3],
    [3, 4],
    [4, 5],
    [5, 7],
    [7, 8],
    [8, 9],
  ]);
  expect(client.parsed.slice(2, 6).map(({ task }) => [task?.status, task?.progress.current])).toEqual([
    ["running", 3],
    ["paused", 4],
    ["running", 6],
    ["completed", 7],
  ]);
  expect(rig.hub.stats()).toMatchObject({ snapshots: 0, resumes: { recovered: 1, refused: 0 } });
});

test("the device comes back as one status with all that changed, and its faults", async () => {
  await using rig = await openRig();
  const fault = {
    type: "device.fault",
    component: "motors.rotor",
    code: "timeout",
    message: "stuck",
  } as const;
  rig.publish("device", deviceEvent(1, ["a"]));
  rig.publish("device", deviceEvent(2, ["b", "c"]));
  rig.publish("device", fault);
  rig.publish("device", deviceEvent(3, ["c", "d"]));
  const some = await rig.connect("device", from(1));
  const all = await rig.connect("device", from(0));
  const none = await rig.connect("device", from(4));
  await Promise.all([some.received(3), all.received(3), none.received(1)]);
  await none.inStep();
  expect(some.parsed.slice(1)).toMatchObject([
    { ...fault, seq: 3, prev: 1 },
    { ...deviceEvent(3, ["b", "c", "d"]), seq: 4, prev: 3 },
  ]);
  expect(all.parsed[2]).toMatchObject({ changed: ["a", "b", "c", "d"], seq: 4, prev: 3 });
  expect(none.parsed).toMatchObject([{ resume: { recovered: true }, seq: 4 }]);
  rig.publish("device", deviceEvent(4, null));
  await none.received(2);
  expect(none.parsed[1]).toMatchObject({ seq: 5, prev: 4 });
  const vague = await rig.connect("device", from(0));
  await vague.received(3);
  expect(vague.parsed[2]).toMatchObject({ changed: null, seq: 5 });
});

test.each([
  ["without an epoch", "v=1&since=2"],
  ["of a foreign epoch", from(2, "id-2")],
  ["of the future", from(5)],
  ["that is far too high", from("9007199254740991")],
])("a cursor %s gets the snapshot at once", async (_, query) => {
  await using rig = await openRig();
  for (let current = 1; current <= 4; current++) rig.publish("tasks", taskUpdate(current));
  const client = await rig.connect("tasks", query);
  await client.received(2);
  expect(client.parsed).toMatchObject([
    { type: "hello", resume: { recovered: false } },
    { type: "tasks.snapshot", seq: 4, prev: null, tasks: [{ progress: { current: 4 } }] },
  ]);
  expect(rig.hub.stats()).toMatchObject({ snapshots: 1, resumes: { recovered: 0, refused: 1 } });
});

test("a gap longer than the limit of events is not replayed, one as long is", async () => {
  await using rig = await openRig({ historyEvents: 3 });
  for (let current = 1; current <= 5; current++) rig.publish("tasks", taskEnded(current));
  const [late, justInTime] = [await rig.connect("tasks", from(1)), await rig.connect("tasks", from(2))];
  await Promise.all([late.received(2), justInTime.received(4)]);
  expect(late.parsed[0]?.resume).toEqual({ max_events: 3, max_age_ms: 3_600_000, recovered: false });
  expect(late.parsed[1]).toMatchObject({ type: "tasks.snapshot", seq: 5 });
  expect(places(justInTime.parsed)).toEqual([
    [2, 3],
    [3, 4],
    [4, 5],
  ]);
});

test("a gap is not replayed once its first event is older than the limit", async () => {
  await using rig = await openRig({ historyAgeMs: 10_000 });
  rig.publish("tasks", taskEnded(1));
  await rig.clock.advance(6_000);
  rig.publish("tasks", taskEnded(2));
  await rig.clock.advance(4_000);
  expect((await firstOf(rig, 0)).resume?.recovered).toBe(true);
  await rig.clock.advance(1);
  expect((await firstOf(rig, 0)).resume?.recovered).toBe(false);
  expect((await firstOf(rig, 1)).resume?.recovered).toBe(true);
});

test("a gap with more bytes than the limit is not replayed", async () => {
  await using rig = await openRig({ historyBytes: 10_000 });
  for (let current = 1; current <= 10; current++) rig.publish("tasks", taskEnded(current, 3_000));
  expect((await firstOf(rig, 6)).resume?.recovered).toBe(false);
  expect((await firstOf(rig, 8)).resume?.recovered).toBe(true);
});

async function firstOf(rig: Awaited<ReturnType<typeof openRig>>, since: number): Promise<Received> {
  const client = await rig.connect("tasks", from(since));
  await client.received(1);
  return client.parsed[0] as Received;
}

test("a replay larger than what may wait for a client is none, however little its state counted for", async () => {
  await using rig = await openRig({ pendingBytes: 50_000 });
  for (let id = 0; id < 3; id++) {
    const update = taskUpdate(id, 20_000);
    update.task.id = `${id}`;
    rig.publish("tasks", update);
  }
  const recovered: unknown[] = [];
  for (const since of [0, 1]) {
    const client = await rig.connect("tasks", from(since));
    await client.received(2);
    recovered.push(client.parsed[0]?.resume?.recovered);
    if (since === 0) expect(client.parsed[1]).toMatchObject({ snapshot: true, seq: 3 });
  }
  expect(recovered).toEqual([false, true]);
});

test("filters hold for a replay", async () => {
  await using rig = await openRig();
  rig.publish("device", deviceEvent(1, ["motors.rotor.angle"]));
  rig.publish("device", deviceEvent(2, ["lights.ring"]));
  rig.publish("device", deviceEvent(3, ["lights.ring"]));
  const motors = await rig.connect("device", `${from(0)}&paths=motors`);
  const seen = await rig.connect("device", `${from(1)}&paths=motors`);
  const faults = await rig.connect("device", `${from(0)}&types=device.fault`);
  await motors.received(2);
  await Promise.all([seen.inStep(), faults.inStep()]);
  expect(motors.parsed[1]).toMatchObject({ changed: ["motors.rotor.angle"], seq: 3, prev: 0 });
  expect(motors.parsed[1]?.device?.scan_radius_mm).toBe(3);
  for (const client of [seen, faults]) {
    expect(client.parsed).toMatchObject([{ type: "hello", resume: { recovered: true } }]);
  }
});

test("a replay that the socket cannot take at once still comes before what happens meanwhile", async () => {
  await using rig = await openRig({ historyBytes: 500_000 });
  for (let current = 1; current <= 25; current++) rig.publish("tasks", taskEnded(current, 16_000));
  const client = await rig.connect("tasks", from(0));
  client.socket.pause();
  for (let current = 26; current <= 30; current++) rig.publish("tasks", taskEnded(current, 16_000));
  client.socket.resume();
  await client.received(31);
  expect(places(client.parsed)).toEqual(Array.from({ length: 30 }, (_, index) => [index, index + 1]));
});

test("an event that cannot be serialised any more is no reason to refuse a client", async () => {
  await using rig = await openRig();
  const broken = taskUpdate(1);
  broken.task.result = 1n;
  rig.hub.publish("tasks", broken); // nobody listens, so nobody has noticed
  const client = await rig.connect("tasks", from(0));
  await client.received(2);
  expect(client.parsed).toMatchObject([{ resume: { recovered: false } }, { type: "tasks.snapshot" }]);
  expect(rig.log.lines).toMatchObject([{ level: "error" }]);
});
