import { DeviceStatus, Envelope, Hello, LiveTask, namespaces, Ping, Task } from "@openscan/protocol";
import { FakeClock, settle } from "@openscan/runtime/testing";
import { expect, test } from "vitest";
import { createFakeScanner, type FakeScanner } from "./index.js";

type Message = Readonly<Record<string, unknown>> & { readonly type: string };

/** Connects without the SDK, to see what is said. */
function listen(scanner: FakeScanner, path: string, protocols?: string[]) {
  const messages: Message[] = [];
  const ends: { code: number; reason: string }[] = [];
  const socket = new scanner.WebSocket(`ws://scanner.test/latest/ws/${path}`, protocols);
  let isOpen = false;
  socket.addEventListener("open", () => {
    isOpen = true;
  });
  socket.addEventListener("message", ({ data }) => void messages.push(JSON.parse(String(data)) as Message));
  socket.addEventListener("close", ({ code, reason }) => void ends.push({ code, reason }));
  return { socket, messages, ends, types: () => messages.map(({ type }) => type), isOpen: () => isOpen };
}

/** As the protocol's schemas read it; what they do not know is left out. */
function known(message: Message): unknown {
  if (message.type === "hello") return Hello.parse(message);
  if (message.type === "ping") return Ping.required().parse(message);
  for (const { events, derived, snapshotSchema } of Object.values(namespaces)) {
    const schemas: Readonly<Record<string, { readonly schema: typeof Envelope }>> = {
      ...events,
      ...derived,
    } as never;
    const schema = message["snapshot"] ? snapshotSchema : schemas[message.type]?.schema;
    const result = schema?.safeParse(message);
    if (result?.success) return { ...result.data, ...Envelope.parse(message) };
  }
  throw new Error(`nothing of the protocol: ${JSON.stringify(message)}`);
}

/** Everything that can happen. */
function live(scanner: FakeScanner): void {
  scanner.setDevice({ motors: { turntable: { angle: 30, busy: true, target_angle: 90 } } });
  scanner.setDevice("lights.ringlight.is_on", true);
  scanner.fault({ component: "motors.turntable" });
  const { id } = scanner.startTask({ progress: { current: 0, total: 2, message: "" } });
  scanner.updateTask(id, { progress: { current: 1 } });
  scanner.capturePhoto({ task_id: id });
  scanner.stallTask(id);
  scanner.finishTask(id);
  scanner.deleteTask(id);
}

test("what it has and says in the v1 dialect fits the schemas of the protocol", async () => {
  const clock = new FakeClock();
  const scanner = createFakeScanner({ clock, tasks: [{ name: "old", status: "completed" }] });
  expect(DeviceStatus.parse(scanner.device)).toEqual(scanner.device);
  expect(LiveTask.array().parse(scanner.tasks)).toEqual(scanner.tasks);
  const device = listen(scanner, "device?v=1");
  const deltas = listen(scanner, "device?v=1&delta=1");
  const tasks = listen(scanner, "tasks", ["openscan.v1"]);
  await settle();
  live(scanner);
  await clock.advance(30_000);
  expect(device.types()).toEqual([
    "hello",
    "device.status",
    "device.status",
    "device.status",
    "device.fault",
    "ping",
  ]);
  expect(deltas.types()).toEqual([
    "hello",
    "device.status",
    "device.delta",
    "device.delta",
    "device.fault",
    "ping",
  ]);
  expect(tasks.types()).toEqual([
    "hello",
    "tasks.snapshot",
    ...[
      "task.update",
      "task.update",
      "task.update",
      "photo.captured",
      "task.stalled",
      "task.update",
      "task.deleted",
    ],
    "ping",
  ]);
  for (const message of [...device.messages, ...deltas.messages, ...tasks.messages]) {
    expect(known(message)).toEqual(message);
  }
});

test("each event names the one before it on its connection, also under filters", async () => {
  const scanner = createFakeScanner();
  const all = listen(scanner, "tasks?v=1");
  const photos = listen(scanner, "tasks?v=1&types=photo.captured,task.deleted");
  await settle();
  live(scanner);
  await settle();
  const places = ({ messages }: typeof all) => messages.slice(1).map(({ seq, prev }) => [prev, seq]);
  expect(places(all)).toEqual([[null, 0], ...[1, 2, 3, 4, 5, 6, 7].map((seq) => [seq - 1, seq])]);
  expect(places(photos)).toEqual([
    [null, 0],
    [0, 4],
    [4, 7],
  ]);
});

test.each([
  ["ids=b", ["b pending", "b running"]],
  ["ids=a,b&types=task.update", ["a pending", "a running", "b pending", "b running"]],
  ["types=photo.captured", []],
])("tasks filtered by %s", async (query, expected) => {
  const scanner = createFakeScanner();
  const { messages } = listen(scanner, `tasks?v=1&${query}`);
  await settle();
  for (const id of ["a", "b", "c"]) scanner.startTask({ id });
  await settle();
  const updates = messages.filter(({ type }) => type === "task.update").map(({ task }) => task as Task);
  expect(updates.map(({ id, status }) => `${id} ${status}`)).toEqual(expected);
});

test.each([
  ["motors.turntable.angle", ["motors.turntable.angle"]],
  ["motors.turntable", ["motors.turntable.angle"]],
  ["motors.*", ["motors.turntable.angle", "motors.rotor.busy"]],
  ["motors.rotor.busy.*,name", ["motors.rotor.busy", "name"]],
  ["motors.*.angle", ["motors.turntable.angle", "motors.rotor.busy"]],
  ["lights.ring", []],
])("the device filtered by the paths %s", async (paths, expected) => {
  const scanner = createFakeScanner();
  const { messages } = listen(scanner, `device?v=1&paths=${paths}`);
  await settle();
  scanner.setDevice("motors.turntable.angle", 30);
  scanner.setDevice("motors.rotor.busy", true);
  scanner.setDevice("lights.ringlight.is_on", true);
  scanner.setDevice("name", "Mini");
  await settle();
  expect(messages.slice(2).flatMap(({ changed }) => changed)).toEqual(expected);
});

test("a part that is gone is unset, one that appears is set, and nothing is said when nothing changes", async () => {
  const scanner = createFakeScanner();
  const { messages } = listen(scanner, "device?v=1&delta=1");
  await settle();
  scanner.setDevice({
    lights: { ringlight: undefined, "top/left ~ 1.5": scanner.device.lights["ringlight"] },
  });
  scanner.setDevice({ name: scanner.device.name });
  await settle();
  expect(messages.slice(2)).toMatchObject([
    {
      type: "device.delta",
      set: { "/lights/top~1left ~0 1.5": { name: "ringlight" } },
      unset: ["/lights/ringlight"],
      changed: ["lights.top/left ~ 1.5", "lights.ringlight"],
    },
  ]);
});

test("deltas begin anew with the whole device after 100", async () => {
  const scanner = createFakeScanner();
  const { types } = listen(scanner, "device?v=1&delta=1");
  await settle();
  for (let angle = 1; angle <= 102; angle++) scanner.setDevice("motors.rotor.angle", angle);
  await settle();
  expect(types().slice(2)).toEqual([
    ...Array<string>(89 + 11).fill("device.delta"),
    "device.status",
    "device.delta",
  ]);
});

const hello = ({ messages }: ReturnType<typeof listen>) => Hello.parse(messages[0]);

test("a client that comes back gets what it missed: facts in order, progress and states as the latest", async () => {
  const scanner = createFakeScanner();
  const { epoch } = scanner.position("tasks");
  const { id } = scanner.startTask({ id: "a" });
  scanner.capturePhoto({ task_id: id, file: "1.jpg" });
  for (const current of [1, 2, 3]) scanner.updateTask(id, { progress: { current } });
  scanner.updateTask(id, { status: "paused" });
  scanner.finishTask(id, "cancelled");
  scanner.setDevice("motors.rotor.angle", 1);
  scanner.fault({ component: "motors.rotor" });
  scanner.setDevice("motors.turntable.angle", 2);
  const tasks = listen(scanner, `tasks?v=1&since=1&epoch=${epoch}`);
  const device = listen(scanner, `device?v=1&since=0&epoch=${epoch}`);
  await settle();
  expect([hello(tasks).resume.recovered, hello(device).resume.recovered]).toEqual([true, true]);
  expect(
    tasks.messages.slice(1).map(({ prev, seq, type, task }) => [prev, seq, type, (task as Task)?.status]),
  ).toEqual([
    [1, 3, "photo.captured", undefined],
    [3, 6, "task.update", "running"],
    [6, 7, "task.update", "paused"],
    [7, 8, "task.update", "cancelled"],
  ]);
  expect(device.messages.slice(1)).toMatchObject([
    { type: "device.fault", prev: 0, seq: 2 },
    { type: "device.status", prev: 2, seq: 3, changed: ["motors.rotor.angle", "motors.turntable.angle"] },
  ]);
});

test.each([
  ["an unknown epoch", "since=3&epoch=other"],
  ["no epoch", "since=3"],
  ["a future seq", "since=99&epoch=epoch-1"],
  ["a gap longer than its memory", "since=1&epoch=epoch-1"],
])("%s cannot be resumed: a snapshot follows at once", async (_, query) => {
  const scanner = createFakeScanner({ maxEvents: 2 });
  for (const id of ["a", "b"]) scanner.startTask({ id });
  const back = listen(scanner, `tasks?v=1&${query}`);
  await settle();
  expect(hello(back).resume).toMatchObject({ recovered: false, max_events: 2 });
  expect(back.messages[1]).toMatchObject({ type: "tasks.snapshot", prev: null, seq: 4 });
  expect(back.messages).toHaveLength(2);
});

test("a restart has a new epoch and instance, and remembers the state but no event", async () => {
  const scanner = createFakeScanner();
  const before = listen(scanner, "tasks?v=1");
  await settle();
  scanner.createTask({ id: "a" });
  scanner.restart(1012, '{"retry_after_ms":10}');
  await settle();
  expect(before.ends).toEqual([{ code: 1012, reason: '{"retry_after_ms":10}' }]);
  const after = listen(scanner, "tasks?v=1&since=1&epoch=epoch-1");
  await settle();
  expect(hello(after)).toMatchObject({ epoch: "epoch-2", seq: 0, resume: { recovered: false } });
  expect(hello(after).server.instance).not.toBe(hello(before).server.instance);
  expect(after.messages[1]).toMatchObject({ tasks: [{ id: "a" }] });
});

test("`subscribe` begins the v1 dialect, and later replaces the filter with a snapshot", async () => {
  const scanner = createFakeScanner();
  const { socket, messages, types } = listen(scanner, "tasks");
  await settle();
  scanner.createTask({ id: "a" });
  await settle();
  socket.send("no json");
  socket.send('{"type":"subscribe","types":["task.deleted"]}');
  await settle();
  scanner.createTask({ id: "b" });
  scanner.deleteTask("a");
  await settle();
  socket.send('{"type":"subscribe","ids":["b"]}');
  await settle();
  expect(types()).toEqual(["task.update", "hello", "tasks.snapshot", "task.deleted", "tasks.snapshot"]);
  expect(messages[0]?.["task"]).not.toHaveProperty("revision");
  expect(messages.at(-1)).toMatchObject({ prev: null, seq: 3, tasks: [{ id: "b" }] });
});

test("the legacy dialect has only what it always had", async () => {
  const clock = new FakeClock();
  const scanner = createFakeScanner({ clock, legacy: true });
  const device = listen(scanner, "device?v=1");
  const tasks = listen(scanner, "tasks?v=1");
  const offering = listen(scanner, "tasks", ["openscan.v1"]);
  await settle();
  expect(device.isOpen()).toBe(true);
  tasks.socket.send('{"type":"subscribe"}');
  live(scanner);
  await clock.advance(30_000);
  expect(device.types()).toEqual(["device.status", "device.status", "ping"]);
  expect(tasks.types()).toEqual(["task.update", "task.update", "task.update", "task.update", "ping"]);
  expect(tasks.messages.at(-1)).toEqual({ type: "ping" });
  for (const message of tasks.messages.slice(0, -1)) {
    expect(namespaces.tasks.legacyEvent.options[0].strict().parse(message)).toEqual(message);
    expect(Task.strict().parse(message["task"])).toEqual(message["task"]);
  }
  // As a browser, whose handshake fails when none of the subprotocols it offered is chosen.
  expect(offering.ends).toEqual([{ code: 1006, reason: "" }]);
});

test("a ping comes after 30 s of silence, with the last seq of the connection", async () => {
  const clock = new FakeClock();
  const scanner = createFakeScanner({ clock });
  const { types, messages } = listen(scanner, "tasks?v=1");
  await clock.advance(29_999);
  scanner.createTask();
  await clock.advance(29_999);
  expect(types()).not.toContain("ping");
  await clock.advance(1);
  expect(messages.at(-1)).toEqual({ type: "ping", last: 1 });
});

test.each([
  ["an unknown path", "motors", 1006],
  ["another version", "tasks?v=2", 4406],
])("%s is refused", async (_, path, code) => {
  const scanner = createFakeScanner();
  const { ends } = listen(scanner, path);
  await settle();
  expect(ends.map((end) => end.code)).toEqual([code]);
});

test("connections break, are refused, and come back", async () => {
  const scanner = createFakeScanner();
  const first = listen(scanner, "tasks?v=1");
  await settle();
  scanner.refuse();
  scanner.disconnect();
  const refused = listen(scanner, "tasks?v=1");
  const request = scanner.fetch("http://scanner.test/latest/tasks/", {});
  await expect(request).rejects.toThrow("fetch failed");
  await settle();
  expect([first.ends, refused.ends]).toEqual([[{ code: 1006, reason: "" }], [{ code: 1006, reason: "" }]]);
  expect(refused.isOpen()).toBe(false);
  scanner.comeBack();
  const second = listen(scanner, "tasks?v=1");
  await settle();
  expect(second.types()).toEqual(["hello", "tasks.snapshot"]);
  expect(scanner.connections("tasks")).toBe(1);
});

test.each([
  [4401, 401],
  [4403, 403],
  [1013, 503],
])("refused with %i, requests get %i", async (code, status) => {
  const scanner = createFakeScanner();
  scanner.refuse(code);
  const { ends, isOpen, messages } = listen(scanner, "tasks?v=1");
  const reply = await scanner.fetch("http://scanner.test/latest/tasks/", {});
  await settle();
  expect([isOpen(), messages, ends[0]?.code, reply.status]).toEqual([true, [], code, status]);
});

test("silence tells nobody anything, neither those who are there nor those who come", async () => {
  const scanner = createFakeScanner();
  const abort = new AbortController();
  const there = listen(scanner, "tasks?v=1");
  await settle();
  scanner.silence();
  const coming = listen(scanner, "tasks?v=1");
  const request = scanner.fetch("http://scanner.test/latest/tasks/", { signal: abort.signal });
  scanner.createTask();
  there.socket.close(1000);
  await settle();
  expect([there.types(), there.ends]).toEqual([["hello", "tasks.snapshot"], []]);
  expect([coming.isOpen(), coming.ends]).toEqual([false, []]);
  coming.socket.close();
  abort.abort(new Error("no patience"));
  await expect(request).rejects.toThrow("no patience");
  await settle();
  expect(coming.ends).toEqual([{ code: 1006, reason: "" }]);
});

test("a client that closes hears so, and nothing afterwards", async () => {
  const clock = new FakeClock();
  const scanner = createFakeScanner({ clock });
  const { socket, ends, types } = listen(scanner, "tasks?v=1");
  await settle();
  socket.close(1000);
  scanner.createTask();
  await settle();
  expect([ends, types()]).toEqual([[{ code: 1000, reason: "" }], ["hello", "tasks.snapshot"]]);
  expect([scanner.connections("tasks"), clock.pending]).toEqual([0, 0]);
});
