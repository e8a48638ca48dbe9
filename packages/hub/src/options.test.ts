import { LightSettings } from "@openscan/protocol";
import { expect, test } from "vitest";
import { deviceEvent, openRig, type Received, taskEnded, taskUpdate } from "../test/rig.js";

const places = (messages: readonly Received[]) => messages.slice(1).map(({ prev, seq }) => [prev, seq]);
const task = (id: string, current = 1) => {
  const { type, task } = taskUpdate(current);
  return { type, task: { ...task, id } };
};

test("filters leave events out, and prev stays a proof that none is missing", async () => {
  await using rig = await openRig();
  const ids = await rig.connect("tasks", "v=1&ids=a,b");
  const types = await rig.connect("tasks", "v=1&types=task.deleted,unknown");
  for (const id of ["a", "c", "b", "c"]) rig.publish("tasks", task(id));
  rig.publish("tasks", { type: "task.deleted", id: "c" });
  rig.publish("tasks", { type: "task.deleted", id: "a" });
  await Promise.all([ids.received(5), types.received(4)]);
  expect(places(ids.parsed)).toEqual([
    [null, 0],
    [0, 1],
    [1, 3],
    [3, 6],
  ]);
  expect(places(types.parsed)).toEqual([
    [null, 0],
    [0, 5],
    [5, 6],
  ]);
});

test("a snapshot honours ids and ignores types and paths", async () => {
  await using rig = await openRig();
  for (const id of ["a", "b", "c"]) rig.publish("tasks", task(id));
  const tasks = await rig.connect("tasks", "v=1&ids=c,a&types=task.deleted");
  const device = await rig.connect("device", "v=1&paths=motors&types=device.fault");
  await Promise.all([tasks.received(2), device.received(2)]);
  expect(tasks.parsed[1]?.tasks?.map(({ id }) => id)).toEqual(["a", "c"]);
  expect(device.parsed[1]?.device).toEqual(rig.scanner.device());
});

test("paths pass what concerns them, faults included", async () => {
  await using rig = await openRig();
  const client = await rig.connect("device", "v=1&paths=motors.turntable.angle,lights.*.is_on");
  const passing = [["motors.turntable"], ["x", "lights.ring.is_on"], null, ["motors.turntable.angle.deep"]];
  const stopped = [["motors.rotor.angle"], [], ["motors.turntable2.angle"], ["lights.ring.settings"]];
  for (const [index, changed] of stopped.entries()) rig.publish("device", deviceEvent(index, changed));
  for (const [index, changed] of passing.entries()) rig.publish("device", deviceEvent(index, changed));
  rig.publish("device", { type: "device.fault", component: "cameras.a", code: "x", message: "y" });
  rig.publish("device", { type: "device.fault", component: "motors.turntable", code: "x", message: "y" });
  await client.received(7);
  expect(client.parsed.slice(2).map(({ seq, changed }) => [seq, changed])).toEqual([
    ...passing.map((changed, index) => [5 + index, changed]),
    [10, undefined],
  ]);
});

test("a delta tells the difference to the status before, names with dots and slashes included", async () => {
  await using rig = await openRig();
  const client = await rig.connect("device", "v=1&delta=1&types=device.status");
  const light = (name: string, is_on: boolean) => {
    const event = deviceEvent(1, [`lights.${name}.is_on`]);
    event.device.lights = {
      [name]: { name, is_on, settings: LightSettings.parse({ pins: [1] }) },
    };
    return event;
  };
  rig.publish("device", light("a.b/c d", true));
  rig.publish("device", { type: "device.fault", component: "motors.a", code: "x", message: "y" });
  rig.publish("device", light("a.b/c d", false));
  rig.publish("device", deviceEvent(1, null));
  await client.received(5);
  expect(client.parsed.slice(2)).toMatchObject([
    { type: "device.status", device: light("a.b/c d", true).device, seq: 1, prev: 0 },
    {
      type: "device.delta",
      set: { "/lights/a.b~1c d/is_on": false },
      unset: [],
      changed: ["lights.a.b/c d.is_on"],
      seq: 3,
      prev: 1,
    },
    { type: "device.delta", set: {}, unset: ["/lights/a.b~1c d"], changed: null, seq: 4, prev: 3 },
  ]);
});

test("a delta is against what was sent on this connection, whatever the filter left out", async () => {
  await using rig = await openRig();
  const client = await rig.connect("device", "v=1&delta=1&paths=motors");
  rig.publish("device", deviceEvent(1, ["motors.a"]));
  rig.publish("device", { ...deviceEvent(2), device: { ...deviceEvent(2).device, idle: true } });
  rig.publish("device", {
    ...deviceEvent(3, ["motors.b"]),
    device: { ...deviceEvent(3).device, idle: true },
  });
  await client.received(4);
  expect(client.parsed[3]).toMatchObject({ set: { "/idle": true, "/scan_radius_mm": 3 }, seq: 3, prev: 1 });
});

test("a full status comes after every snapshot and at least every 100 deltas", async () => {
  await using rig = await openRig();
  const client = await rig.connect("device", "v=1&delta=1");
  for (let radius = 1; radius <= 250; radius++) rig.publish("device", deviceEvent(radius));
  await client.received(252);
  const full = () => client.parsed.filter(({ type }) => type === "device.status").map(({ seq }) => seq);
  expect(full()).toEqual([0, 1, 100, 200]);
  client.say({ type: "subscribe", delta: true });
  await client.received(253);
  rig.publish("device", deviceEvent(251));
  rig.publish("device", deviceEvent(252));
  await client.received(255);
  expect(full()).toEqual([0, 1, 100, 200, 250, 251]);
});

test("a delta that changes one value has less than a tenth of the bytes of a usual snapshot", async () => {
  await using rig = await openRig();
  const client = await rig.connect("device", "v=1&delta=1");
  rig.publish("device", deviceEvent(1));
  rig.publish("device", deviceEvent(2));
  await client.received(4);
  expect(client.messages[3]?.length).toBeLessThan(160);
});

test("min_interval: at most one state event per key and interval, the last one wins", async () => {
  await using rig = await openRig();
  const client = await rig.connect("tasks", "v=1&min_interval=200");
  await client.received(2);
  await rig.clock.advance(200);
  for (let step = 1; step <= 50; step++) {
    rig.publish("tasks", task("a", step));
    rig.publish("tasks", task("b", step));
    await rig.clock.advance(10);
  }
  await rig.clock.advance(200);
  await client.received(10);
  await client.inStep();
  expect(client.parsed.slice(2).map(({ seq, task }) => [task?.id, task?.progress.current, seq])).toEqual([
    ["a", 1, 1],
    ["b", 1, 2],
    ["a", 20, 39],
    ["b", 20, 40],
    ["a", 40, 79],
    ["b", 40, 80],
    ["a", 50, 99],
    ["b", 50, 100],
  ]);
  expect(rig.hub.stats().merged).toBe(92);
  expect(rig.clock.pending).toBe(1);
});

test("min_interval: a fact goes at once, what is held goes before it", async () => {
  await using rig = await openRig();
  const client = await rig.connect("device", "v=1&min_interval=60000");
  rig.publish("device", deviceEvent(1, ["a"]));
  rig.publish("device", deviceEvent(2, ["b"]));
  await client.inStep();
  expect(client.messages).toHaveLength(2);
  rig.publish("device", { type: "device.fault", component: "motors.a", code: "x", message: "y" });
  await client.received(4);
  expect(client.parsed.slice(2)).toMatchObject([
    { type: "device.status", changed: ["a", "b"], seq: 2, prev: 0 },
    { type: "device.fault", seq: 3, prev: 2 },
  ]);
  rig.publish("device", deviceEvent(3, ["c"]));
  await rig.clock.advance(59_999);
  await client.inStep();
  expect(client.parsed.filter(({ seq }) => seq === 4)).toEqual([]);
  await rig.clock.advance(1);
  while (client.parsed.at(-1)?.seq !== 4) await client.inStep();
  expect(rig.hub.stats()).toMatchObject({ dropped: 0, snapshots: 1 });
});

test("min_interval: what is held is told before a farewell and before a change of the filter", async () => {
  await using rig = await openRig();
  const [leaving, changing] = [
    await rig.connect("tasks", "v=1&min_interval=60000"),
    await rig.connect("tasks", "v=1&min_interval=60000"),
  ];
  rig.publish("tasks", taskUpdate(1));
  await changing.inStep();
  changing.say({ type: "subscribe", min_interval: 100 });
  await changing.received(3);
  expect(changing.parsed[2]).toMatchObject({ snapshot: true, seq: 1, tasks: [{ revision: 2 }] });
  rig.publish("tasks", taskUpdate(2));
  await rig.clock.advance(100);
  await changing.received(4);
  await rig.hub.close();
  await leaving.closed;
  expect(leaving.parsed.slice(2)).toMatchObject([{ seq: 2, prev: 0 }]);
  expect(rig.clock.pending).toBe(0);
});

test("connections that rest together share what is merged", async () => {
  await using rig = await openRig();
  let serialised = 0;
  const counted = () => ({ toJSON: () => ++serialised });
  const clients = await Promise.all(
    Array.from({ length: 5 }, () => rig.connect("device", "v=1&min_interval=100")),
  );
  for (let radius = 1; radius <= 3; radius++) {
    const event = deviceEvent(radius, [`${radius}`]);
    event.device.model = counted() as never;
    rig.hub.publish("device", event);
  }
  await rig.clock.advance(100);
  await Promise.all(clients.map((client) => client.received(3)));
  for (const { parsed } of clients) expect(parsed[2]?.changed).toEqual(["1", "2", "3"]);
  expect(serialised).toBe(3 + 1);
});

test("facts are never merged, whatever was asked for", async () => {
  await using rig = await openRig();
  const client = await rig.connect("tasks", "v=1&min_interval=1000");
  for (let current = 1; current <= 100; current++) {
    rig.publish("tasks", taskUpdate(current));
    rig.publish("tasks", taskEnded(current));
  }
  while (client.parsed.at(-1)?.seq !== 200) await client.inStep();
  const ended = client.parsed.filter(({ task }) => task?.status === "completed");
  expect(ended.map(({ task }) => task?.progress.current)).toEqual(
    Array.from({ length: 100 }, (_, index) => index + 1),
  );
});
