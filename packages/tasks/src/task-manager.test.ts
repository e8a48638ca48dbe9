import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { legacyTask, ScanError } from "@openscan/protocol";
import { recordingLogger, settle } from "@openscan/runtime/testing";
import { describe, expect, onTestFinished, test } from "vitest";
import { createManager, scripted } from "../test/create-manager.js";
import { defineTask, FileTaskStore, TaskInterrupted, type TaskManager, TaskPreempted } from "./index.js";
import { MemoryTaskStore } from "./testing.js";

/** Pauses itself for a second, then reports what its second try to pause and its first one answered. */
const hesitant = defineTask({
  type: "hesitant_task",
  concurrency: "concurrent",
  input: () => undefined,
  async *run(_, { clock, pause, resume, checkpoint }) {
    await clock.sleep(0);
    const first = pause("no film left");
    const second = pause("no light either");
    await clock.sleep(1000);
    resume();
    await checkpoint();
    yield { current: 1, total: 1, message: `done ${first} ${!second}` };
  },
});

describe("create", () => {
  test("answers with the running task once it is stored", async () => {
    const { manager, store } = createManager();
    const task = await manager.create("concurrent_task", [3], { ms: 10 });
    expect(task).toMatchObject({
      id: "t1",
      name: "concurrent_task",
      task_type: "concurrent_task",
      status: "running",
      is_exclusive: false,
      is_blocking: false,
      run_args: [3],
      run_kwargs: { ms: 10 },
    });
    expect(store.files.get("t1")).toEqual(legacyTask(task));
  });

  test("answers with the pending task when it has to wait", async () => {
    const { manager } = createManager();
    await manager.create("exclusive_task");
    expect(await manager.create("exclusive_task")).toMatchObject({ status: "pending", is_exclusive: true });
  });

  test.each([
    ["unknown_task", [], "not_found", 'task type "unknown_task" is not registered'],
    ["concurrent_task", ["many"], "invalid", "steps"],
  ] as const)("of %s %j is refused as %s and creates nothing", async (type, args, code, message) => {
    const { manager, store, events } = createManager();
    await expect(manager.create(type, [...args])).rejects.toMatchObject({
      code,
      message: expect.stringContaining(message),
    });
    expect([manager.list(), events, store.writes]).toEqual([[], [], []]);
  });

  test("is refused as busy when the queue of the lane is full", async () => {
    const { manager, statuses } = createManager({ limits: { waiting: 2 } });
    for (let i = 0; i < 3; i++) await manager.create("exclusive_task");
    await expect(manager.create("exclusive_task")).rejects.toMatchObject({ code: "busy" });
    expect(await manager.create("upload_task")).toMatchObject({ status: "running" });
    expect(Object.keys(statuses())).toHaveLength(4);
  });

  test("survives a disk that fails", async () => {
    const store = new MemoryTaskStore();
    store.save = () => Promise.reject(new Error("ENOSPC"));
    const { manager, clock, log } = createManager({ store });
    const { id } = await manager.create("concurrent_task");
    expect(await clock.run(manager.ended(id))).toMatchObject({ status: "completed" });
    expect(log.lines.filter(({ level }) => level === "error").length).toBeGreaterThan(0);
  });

  test("the arguments shown are a copy", async () => {
    const keep = defineTask({
      type: "keep_task",
      concurrency: "concurrent",
      input: ([scan]) => scan as { step: number },
      run: async (scan) => void scan.step++,
    });
    const { manager, clock } = createManager({ types: [keep] });
    const scan = { step: 0 };
    const { id } = await manager.create("keep_task", [scan]);
    await clock.run(manager.ended(id));
    expect(scan.step).toBe(1);
    expect(manager.get(id)?.run_args).toEqual([{ step: 0 }]);
  });

  test("arguments without a JSON form reach the body, but neither clients nor the file", async () => {
    const received: unknown[] = [];
    const live = defineTask({
      type: "live_task",
      concurrency: "concurrent",
      input: (args, kwargs) => ({ args, kwargs }),
      run: async (input) => void received.push(input),
    });
    const { manager, clock, store } = createManager({ types: [live] });
    const args = [() => 1];
    const { id } = await manager.create("live_task", args, { plain: 1 });
    await clock.run(manager.ended(id));
    expect(received).toEqual([{ args, kwargs: { plain: 1 } }]);
    expect(manager.get(id)).toMatchObject({ run_args: [], run_kwargs: {} });
    expect(store.files.get(id)).not.toHaveProperty("run_args");
    expect(store.files.get(id)).not.toHaveProperty("run_kwargs");
  });
});

test("defect 35: a secret reaches the body and its restart, but neither events nor the store", async () => {
  const seen: string[] = [];
  const login = defineTask({
    type: "login_task",
    concurrency: "concurrent",
    lane: "network",
    input: (_, { token }) => String(token),
    redact: (args, { retries }) => ({ args, kwargs: { retries } }),
    async run(token) {
      seen.push(token);
      throw new Error("refused");
    },
  });
  const { manager, clock, store, events } = createManager({ types: [login] });
  const { id } = await manager.create("login_task", ["p"], { token: "hunter2", retries: 1 });
  await clock.run(manager.ended(id));
  manager.restart(id);
  await clock.run(manager.ended(id));
  expect(seen).toEqual(["hunter2", "hunter2"]);
  expect(manager.get(id)).toMatchObject({ run_args: ["p"], run_kwargs: { retries: 1 } });
  expect(JSON.stringify([events, store.writes, manager.list()])).not.toContain("hunter2");
});

describe("the events of a task that", () => {
  test("reports and completes", async () => {
    const { manager, clock, told } = createManager();
    const { id } = await manager.create("concurrent_task");
    await clock.run(manager.ended(id));
    expect(told(id)).toEqual([
      "pending 0/0",
      "running 0/0",
      "running 1/2 step 1",
      "running 2/2 step 2",
      "completed 2/2 step 2 (ended)",
    ]);
    expect(manager.get(id)?.result).toEqual({ steps: 2 });
  });

  test("fails", async () => {
    const { manager, clock, told } = createManager();
    const { id } = await manager.create("concurrent_task", [1], { fail: "no camera" });
    expect(await clock.run(manager.ended(id))).toMatchObject({ status: "error", error: "no camera" });
    expect(told(id)).toEqual([
      "pending 0/0",
      "running 0/0",
      "running 1/1 step 1",
      "error 1/1 step 1 (ended)",
    ]);
  });

  test("is paused and resumed: the running step ends, its progress is held back", async () => {
    const { manager, clock, told } = createManager();
    const { id } = await manager.create("concurrent_task", [3]);
    await clock.advance(150);
    expect(manager.pause(id)).toMatchObject({ status: "paused" });
    expect(manager.pause(id)).toBe(manager.get(id));
    await clock.advance(1000);
    manager.resume(id);
    await clock.run(manager.ended(id));
    expect(told(id)).toEqual([
      "pending 0/0",
      "running 0/0",
      "running 1/3 step 1",
      "paused 1/3 Task paused.",
      "running 1/3 Task resumed.",
      "running 2/3 step 2",
      "running 3/3 step 3",
      "completed 3/3 step 3 (ended)",
    ]);
  });

  test("pauses itself, says why, and goes on when its reason is gone", async () => {
    const { manager, clock, told } = createManager({ types: [hesitant] });
    const { id } = await manager.create("hesitant_task");
    await clock.run(manager.ended(id));
    expect(told(id)).toEqual([
      "pending 0/0",
      "running 0/0",
      "paused 0/0 no film left",
      "running 0/0 Task resumed.",
      "running 1/1 done true true",
      "completed 1/1 done true true (ended)",
    ]);
  });

  test.each([
    ["a resume ends the pause that it asked for itself", ["resume"], "running"],
    ["a pause that somebody asks for meanwhile outlasts its own", ["pause"], "paused"],
    ["who pauses and resumes it meanwhile is obeyed", ["pause", "resume"], "running"],
  ] as const)("%s", async (_, acts, status) => {
    const { manager, clock } = createManager({ types: [hesitant] });
    const { id } = await manager.create("hesitant_task");
    await clock.advance(500);
    expect(manager.get(id)).toMatchObject({ status: "paused" });
    for (const act of acts) manager[act](id);
    await clock.advance(499);
    expect(manager.get(id)).toMatchObject({ status });
    await clock.advance(1);
    expect(manager.get(id)?.status).toBe(status === "paused" ? "paused" : "completed");
    manager.resume(id);
    expect(await clock.run(manager.ended(id))).toMatchObject({ status: "completed" });
  });

  test("cannot pause itself when it is paused, or being cancelled", async () => {
    const { manager, clock, told } = createManager({ types: [hesitant] });
    const { id } = await manager.create("hesitant_task");
    manager.cancel(id);
    await clock.run(manager.ended(id));
    expect(told(id).filter((line) => line.includes("no film"))).toEqual([]);
  });

  test("ignores a pause", async () => {
    const deaf = defineTask({
      type: "deaf_task",
      concurrency: "concurrent",
      input: () => undefined,
      run: (_, { clock }) => clock.sleep(100),
    });
    const { manager, clock, told } = createManager({ types: [deaf] });
    const { id } = await manager.create("deaf_task");
    manager.pause(id);
    await clock.run(manager.ended(id));
    expect(told(id)).toEqual([
      "pending 0/0",
      "running 0/0",
      "paused 0/0 Task paused.",
      "completed 0/0 Task paused. (ended)",
    ]);
  });

  test("is cancelled while it runs: at once, and again after its cleanup", async () => {
    const { manager, clock, told, trace } = createManager();
    const { id } = await manager.create("concurrent_task", [3], { cleanupMs: 500 });
    await clock.advance(150);
    expect(manager.cancel(id)).toMatchObject({
      status: "cancelled",
      error: "Task cancelled by user.",
      completed_at: null,
    });
    await clock.advance(499);
    expect([manager.get(id)?.completed_at, trace]).toEqual([null, ["t1 begins"]]);
    await clock.advance(1);
    expect(trace).toEqual(["t1 begins", "t1 ends"]);
    expect(manager.get(id)?.completed_at).toBe("2026-01-01T00:00:00.650Z");
    expect(told(id)).toEqual([
      "pending 0/0",
      "running 0/0",
      "running 1/3 step 1",
      "cancelled 1/3 step 1",
      "cancelled 1/3 step 1 (ended)",
    ]);
  });

  test("is cancelled while it is paused", async () => {
    const { manager, clock, told } = createManager();
    const { id } = await manager.create("concurrent_task");
    manager.pause(id);
    await clock.advance(1000);
    manager.cancel(id);
    await clock.run(manager.ended(id));
    expect(told(id)).toEqual([
      "pending 0/0",
      "running 0/0",
      "paused 0/0 Task paused.",
      "cancelled 0/0 Task paused.",
      "cancelled 0/0 Task paused. (ended)",
    ]);
  });

  test("is cancelled in the queue", async () => {
    const { manager, told, trace } = createManager();
    await manager.create("exclusive_task");
    const { id } = await manager.create("exclusive_task");
    manager.cancel(id);
    expect(told(id)).toEqual(["pending 0/0", "cancelled 0/0 (ended)"]);
    expect(manager.get(id)?.started_at).toBeNull();
    expect(trace).toEqual(["t1 begins"]);
  });

  test("is restarted", async () => {
    const { manager, clock, told } = createManager();
    const { id, created_at } = await manager.create("concurrent_task", [1], { fail: "no camera" });
    await clock.run(manager.ended(id));
    manager.restart(id);
    await clock.run(manager.ended(id));
    const once = ["pending 0/0", "running 0/0", "running 1/1 step 1", "error 1/1 step 1 (ended)"];
    expect(told(id)).toEqual([...once, ...once]);
    expect(manager.get(id)?.created_at).toBe(created_at);
  });

  test("has ended: pause, resume and cancel cause none, a completed one is not restarted", async () => {
    const { manager, clock, events } = createManager();
    const { id } = await manager.create("concurrent_task");
    const task = await clock.run(manager.ended(id));
    const count = events.length;
    for (const act of ["pause", "resume", "cancel", "restart"] as const) expect(manager[act](id)).toBe(task);
    expect(events).toHaveLength(count);
  });
});

describe("an unknown task", () => {
  test.each(["cancel", "pause", "resume", "restart"] as const)("cannot be acted on by %s", (act) => {
    const { manager } = createManager();
    expect(() => manager[act]("t9")).toThrow(expect.objectContaining({ code: "not_found" }));
  });

  test("cannot be awaited, is not there, and may be deleted", async () => {
    const { manager, store, events } = createManager();
    await expect(manager.ended("t9")).rejects.toMatchObject({ code: "not_found" });
    expect(manager.get("t9")).toBeUndefined();
    await manager.create("concurrent_task");
    const stray = store.files.get("t1");
    if (stray) store.files.set("t9", { ...stray, id: "t9" });
    const count = events.length;
    await manager.delete("t9");
    expect(store.files.has("t9")).toBe(false);
    expect(events).toHaveLength(count);
  });
});

describe("restart", () => {
  test("takes a place at the end of the queue", async () => {
    const { manager, clock, trace } = createManager();
    for (let i = 0; i < 3; i++) await manager.create("exclusive_task");
    manager.cancel("t2");
    manager.restart("t2");
    await clock.run(manager.ended("t2"));
    expect(trace.filter((line) => line.endsWith("begins"))).toEqual(["t1 begins", "t3 begins", "t2 begins"]);
  });

  test("is refused while the body still unwinds", async () => {
    const { manager, clock } = createManager();
    const { id } = await manager.create("concurrent_task", [1], { cleanupMs: 100 });
    manager.cancel(id);
    expect(() => manager.restart(id)).toThrow(expect.objectContaining({ code: "conflict" }));
    await clock.run(manager.ended(id));
    expect(manager.restart(id)).toMatchObject({ status: "running" });
  });

  test("with arguments that are no longer valid ends in error", async () => {
    let accepts = true;
    const fickle = defineTask({
      type: "fickle_task",
      concurrency: "concurrent",
      input: () => {
        if (!accepts) throw new ScanError("invalid", "the camera is gone");
      },
      run: () => Promise.reject(new Error("first")),
    });
    const { manager, clock, told } = createManager({ types: [fickle] });
    const { id } = await manager.create("fickle_task");
    await clock.run(manager.ended(id));
    accepts = false;
    manager.restart(id);
    expect(await clock.run(manager.ended(id))).toMatchObject({
      status: "error",
      error: "the camera is gone",
    });
    expect(told(id).slice(-3)).toEqual(["pending 0/0", "running 0/0", "error 0/0 (ended)"]);
  });
});

test("revisions grow with every change, whichever task it is of, and stay with what was told", async () => {
  const { manager, clock, events } = createManager();
  await manager.create("exclusive_task", [1]);
  await manager.create("exclusive_task", [1]);
  manager.pause("t1");
  manager.cancel("t2");
  manager.resume("t1");
  await clock.run(manager.ended("t1"));
  const told = events.flatMap((event) => (event.type === "updated" ? event.task.revision : []));
  expect(told).toHaveLength(8);
  expect(told).toEqual([...new Set(told)].sort((a, b) => a - b));
  expect(manager.get("t1")).toMatchObject({ status: "completed", revision: told.at(-1) });
  expect(manager.list().map(({ revision }) => revision)).toEqual([told.at(-1), manager.get("t2")?.revision]);
});

test("what a listener changes is listed before it is told, never the other way round", async () => {
  const { manager, events } = createManager();
  const listed: number[] = [];
  manager.events.on((event) => {
    if (event.type !== "updated") return;
    listed.push(manager.get(event.task.id)?.revision ?? 0);
    if (event.task.status === "running") manager.pause(event.task.id);
  });
  await manager.create("concurrent_task");
  const told = events.map((event) => (event.type === "updated" ? event.task.revision : 0));
  expect(told).toHaveLength(3);
  for (const [index, revision] of told.entries()) expect(listed[index]).toBeGreaterThanOrEqual(revision);
});

describe("delete", () => {
  test("removes an ended task from memory and store", async () => {
    const { manager, clock, store } = createManager();
    const { id } = await manager.create("concurrent_task");
    await clock.run(manager.ended(id));
    await manager.delete(id);
    expect([manager.list(), [...store.files]]).toEqual([[], []]);
  });

  test("refuses a task that waits, runs, is paused or unwinds", async () => {
    const { manager, clock, statuses } = createManager();
    for (let i = 0; i < 4; i++) await manager.create("concurrent_task", [1], { cleanupMs: 100 });
    manager.pause("t2");
    manager.cancel("t3");
    expect(statuses()).toEqual({ t1: "running", t2: "paused", t3: "cancelled", t4: "pending" });
    for (const id of ["t1", "t2", "t3", "t4"]) {
      await expect(manager.delete(id)).rejects.toMatchObject({ code: "conflict" });
    }
    await clock.run(manager.ended("t3"));
    await manager.delete("t3");
  });

  test("reports a file that could not be removed", async () => {
    const { manager, clock, store } = createManager();
    const { id } = await manager.create("concurrent_task");
    await clock.run(manager.ended(id));
    store.remove = () => Promise.reject(new Error("EACCES"));
    await expect(manager.delete(id)).rejects.toMatchObject({ code: "storage" });
  });

  test.each(["../secret", "..", "", "a/b", ".hidden", "x".repeat(200)])(
    "has nothing to do for %j, which cannot be the name of a file",
    async (id) => {
      const folder = await mkdtemp(join(tmpdir(), "openscan-delete-"));
      onTestFinished(() => rm(folder, { recursive: true }));
      await writeFile(join(folder, "secret.json"), "kept");
      const store = new FileTaskStore({ directory: join(folder, "tasks"), log: recordingLogger() });
      const { manager } = createManager({ store });
      await manager.delete(id);
      expect(await readdir(folder)).toEqual(["secret.json"]);
    },
  );

  test("is possible in the event that tells of the end", async () => {
    const { manager, clock, told } = createManager();
    const deletions: Promise<void>[] = [];
    manager.events.on((event) => {
      if (event.type === "updated" && event.task.completed_at) deletions.push(manager.delete(event.task.id));
    });
    const { id } = await manager.create("concurrent_task", [0]);
    await clock.advance(0);
    await Promise.all(deletions);
    expect(deletions).toHaveLength(1);
    expect(told(id)).toEqual(["pending 0/0", "running 0/0", "completed 0/0 (ended)", "deleted"]);
    expect(manager.list()).toEqual([]);
  });
});

describe("ended", () => {
  test("answers at once for a task that has ended", async () => {
    const { manager, clock } = createManager();
    const { id } = await manager.create("concurrent_task");
    const task = await clock.run(manager.ended(id));
    expect(await manager.ended(id)).toBe(task);
  });

  test("can be given up", async () => {
    const { manager } = createManager();
    const { id } = await manager.create("concurrent_task");
    const abort = new AbortController();
    const ended = manager.ended(id, abort.signal);
    abort.abort(new ScanError("timeout", "too long"));
    await expect(ended).rejects.toMatchObject({ code: "timeout" });
    await expect(manager.ended(id, abort.signal)).rejects.toMatchObject({ code: "timeout" });
  });
});

test("defect 31: ended tasks are kept up to a limit; the one that ended first goes, from the store too", async () => {
  const { manager, clock, store, told } = createManager({ limits: { ended: 2 } });
  await manager.create("concurrent_task", [1], { ms: 300 });
  for (let i = 0; i < 2; i++) await manager.create("concurrent_task", [1], { ms: 100 + i });
  await clock.advance(1000);
  await settle();
  expect(manager.list().map(({ id }) => id)).toEqual(["t1", "t3"]);
  expect([...store.files.keys()]).toEqual(["t1", "t3"]);
  expect(told("t2").at(-1)).toBe("deleted");
});

test("a body sees its context: id, progress, and a checkpoint that waits while it is paused", async () => {
  const seen: unknown[] = [];
  const curious = defineTask({
    type: "curious_task",
    concurrency: "concurrent",
    input: () => undefined,
    async *run(_, context) {
      seen.push(context.id, context.progress);
      yield { current: 1, total: 2, message: "one" };
      seen.push(context.progress);
      await context.clock.sleep(100, context.signal);
      await context.checkpoint();
      seen.push(context.clock.monotonic());
      context.log.info({}, "said");
    },
  });
  const { manager, clock, log } = createManager({ types: [curious] });
  const { id } = await manager.create("curious_task");
  await clock.advance(50);
  manager.pause(id);
  await clock.advance(400);
  manager.resume(id);
  await clock.run(manager.ended(id));
  expect(seen).toEqual([
    "t1",
    { current: 0, total: 0, message: "" },
    { current: 1, total: 2, message: "one" },
    450,
  ]);
  expect(log.lines).toContainEqual({
    level: "info",
    fields: { task: "t1", type: "curious_task" },
    message: "said",
  });
});

test("a type can be added later, and take the place of another only if that is wanted", async () => {
  const { manager, clock } = createManager({ types: [scripted("first_task")] });
  await expect(manager.create("second_task")).rejects.toMatchObject({ code: "not_found" });
  manager.register(scripted("second_task"));
  const better = scripted("first_task", { concurrency: "exclusive" });
  expect(() => manager.register(better)).toThrow('there is a task type "first_task" already');
  expect(await manager.create("first_task")).toMatchObject({ is_exclusive: false });
  manager.register(better, { replace: true });
  expect(await manager.create("first_task")).toMatchObject({ is_exclusive: true });
  const { id } = await manager.create("second_task");
  expect(await clock.run(manager.ended(id))).toMatchObject({ status: "completed" });
});

test("a type can be registered once only", () => {
  const twice = [scripted("a_task"), scripted("a_task")];
  expect(() => createManager({ types: twice })).toThrow(expect.objectContaining({ code: "invalid" }));
});

describe("scheduling", () => {
  const begun = (trace: string[]) =>
    trace.flatMap((line) => (line.endsWith("begins") ? line.split(" ")[0] : []));

  test("three concurrent tasks run at once, the others follow in order", async () => {
    const { manager, clock, trace, statuses } = createManager();
    for (let i = 0; i < 5; i++) await manager.create("concurrent_task", [1], { ms: 100 + i });
    expect(Object.values(statuses())).toEqual(["running", "running", "running", "pending", "pending"]);
    await clock.advance(100);
    expect(begun(trace)).toEqual(["t1", "t2", "t3", "t4"]);
  });

  test("a paused task keeps its slot", async () => {
    const { manager, clock, statuses } = createManager();
    await manager.create("concurrent_task");
    await manager.create("exclusive_task");
    manager.pause("t1");
    await clock.advance(5000);
    expect(statuses()).toEqual({ t1: "paused", t2: "pending" });
    manager.resume("t1");
    await clock.advance(200);
    expect(statuses()).toEqual({ t1: "completed", t2: "running" });
  });

  test("a concurrent task does not overtake an exclusive one that waits", async () => {
    const { manager, clock, trace } = createManager();
    for (const type of ["concurrent_task", "exclusive_task", "concurrent_task"]) await manager.create(type);
    await clock.run(manager.ended("t3"));
    expect(trace).toEqual(["t1 begins", "t1 ends", "t2 begins", "t2 ends", "t3 begins", "t3 ends"]);
  });

  test("defect 1: an upload neither blocks an exclusive task nor waits for it", async () => {
    const { manager, statuses } = createManager();
    for (const type of ["upload_task", "exclusive_task", "upload_task"]) await manager.create(type);
    expect(statuses()).toEqual({ t1: "running", t2: "running", t3: "running" });
  });

  test.each(["runs", "is paused"])(
    "defect 1: an endless task that %s makes room for an exclusive one",
    async (state) => {
      const { manager, clock, told, statuses } = createManager();
      await manager.create("endless_task", [1e9], { cleanupMs: 50 });
      if (state === "is paused") manager.pause("t1");
      await manager.create("exclusive_task");
      expect(statuses()).toEqual({ t1: "cancelled", t2: "pending" });
      expect(manager.get("t1")?.error).toBe("Task cancelled to make room for exclusive_task.");
      await clock.advance(50);
      expect(statuses()).toEqual({ t1: "cancelled", t2: "running" });
      expect(told("t1").at(-1)).toMatch(/^cancelled .*\(ended\)$/);
    },
  );

  test("defect 1: a long transfer outlasts many exclusive tasks, none of which waits for it", async () => {
    const { manager, clock, statuses } = createManager();
    await manager.create("upload_task", [100]);
    for (let count = 0; count < 3; count++) {
      const { id } = await manager.create("exclusive_task");
      expect(statuses()).toMatchObject({ t1: "running", [id]: "running" });
      await clock.run(manager.ended(id));
    }
    manager.pause("t1");
    expect(await manager.create("exclusive_task")).toMatchObject({ status: "running" });
  });

  test.each<[string, (manager: TaskManager) => unknown, boolean]>([
    ["an exclusive task", (manager) => manager.create("exclusive_task"), true],
    ["a user", (manager) => manager.cancel("t1"), false],
  ])("an endless task can tell who ended it: %s", async (_, end, preempted) => {
    const reasons: unknown[] = [];
    const endless = defineTask({
      type: "endless_task",
      concurrency: "concurrent",
      preemptible: true,
      input: () => undefined,
      async run(_input, { clock, signal }) {
        await clock.sleep(1e9, signal).catch((reason: unknown) => reasons.push(reason));
        signal.throwIfAborted();
      },
    });
    const { manager } = createManager({
      types: [endless, scripted("exclusive_task", { concurrency: "exclusive" })],
    });
    await manager.create("endless_task");
    await end(manager);
    await manager.ended("t1");
    expect(reasons).toMatchObject([{ code: "cancelled" }]);
    expect(reasons[0] instanceof TaskPreempted).toBe(preempted);
  });

  test("defect 1: an endless task that is queued before an exclusive one gives way, too", async () => {
    const { manager, clock, statuses } = createManager();
    await manager.create("exclusive_task");
    await manager.create("endless_task", [1e9]);
    await manager.create("exclusive_task");
    expect(statuses()).toEqual({ t1: "running", t2: "cancelled", t3: "pending" });
    await manager.create("endless_task", [1e9]);
    await clock.run(manager.ended("t3"));
    expect(statuses()).toMatchObject({ t3: "completed", t4: "running" });
  });

  test("defect 1: other tasks do not make an endless one give way", async () => {
    const { manager, statuses } = createManager();
    await manager.create("endless_task", [1e9]);
    await manager.create("concurrent_task");
    expect(statuses()).toEqual({ t1: "running", t2: "running" });
  });

  test("defect 3: a cancel right after the start frees the slot, and the body never begins", async () => {
    const { manager, clock, trace, told } = createManager();
    const off = manager.events.on((event) => {
      if (event.type === "updated" && event.task.status === "running") manager.cancel("t1");
    });
    void manager.create("exclusive_task");
    off();
    const next = await manager.create("exclusive_task");
    await clock.run(manager.ended(next.id));
    expect(trace).toEqual(["t2 begins", "t2 ends"]);
    expect(told("t1")).toEqual(["pending 0/0", "running 0/0", "cancelled 0/0", "cancelled 0/0 (ended)"]);
  });

  test("defect 3: whatever a body does, its slot becomes free", async () => {
    const broken = (type: string, run: Parameters<typeof defineTask>[0]["run"]) =>
      defineTask({ type, concurrency: "exclusive", input: () => undefined, run });
    const { manager, statuses, log } = createManager({
      types: [
        broken("throws_task", () => {
          throw new Error("at once");
        }),
        broken("rejects_task", () => Promise.reject(new Error("later"))),
        broken("odd_task", async () => new Map()),
        // oxlint-disable-next-line require-yield -- it fails before it could
        broken("cleanup_task", async function* () {
          try {
            throw new Error("body");
          } finally {
            await Promise.reject(new Error("cleanup"));
          }
        }),
        scripted("exclusive_task", { concurrency: "exclusive" }),
      ],
    });
    for (const type of ["throws_task", "rejects_task", "odd_task", "cleanup_task"])
      await manager.create(type);
    await manager.create("exclusive_task");
    await settle();
    expect(statuses()).toEqual({ t1: "error", t2: "error", t3: "error", t4: "error", t5: "running" });
    expect(manager.list().map(({ error }) => error)).toEqual([
      "at once",
      "later",
      "result is not JSON",
      "cleanup",
      null,
    ]);
    expect(log.lines).toMatchObject([
      { level: "error", fields: { task: "t1", type: "throws_task", err: { message: "at once" } } },
      { level: "error", fields: { task: "t2", type: "rejects_task", err: { message: "later" } } },
      { level: "error", fields: { task: "t3", type: "odd_task", err: "result is not JSON" } },
      { level: "error", fields: { task: "t4", type: "cleanup_task", err: { message: "cleanup" } } },
    ]);
  });

  test("defect 5: after the cancel of a queued head those behind it start", async () => {
    const { manager, statuses } = createManager();
    for (const type of ["concurrent_task", "exclusive_task", "concurrent_task"]) await manager.create(type);
    expect(statuses()).toEqual({ t1: "running", t2: "pending", t3: "pending" });
    manager.cancel("t2");
    expect(statuses()).toEqual({ t1: "running", t2: "cancelled", t3: "running" });
  });

  test("defect 5: a queued task is cancelled at the moment in which another ends", async () => {
    const { manager, clock, statuses } = createManager();
    for (let i = 0; i < 3; i++) await manager.create("exclusive_task", [1]);
    manager.events.on((event) => {
      if (event.type === "updated" && event.task.id === "t1" && event.task.status === "completed")
        manager.cancel("t2");
    });
    await clock.advance(100);
    expect(statuses()).toEqual({ t1: "completed", t2: "cancelled", t3: "running" });
  });

  test("defect 6: what is created or restarted while a task ends waits behind what is queued", async () => {
    const { manager, clock, trace } = createManager();
    await manager.create("exclusive_task", [1], { fail: "again" });
    await manager.create("exclusive_task", [1]);
    const off = manager.events.on((event) => {
      if (event.type !== "updated" || event.task.id !== "t1" || event.task.status !== "error") return;
      off();
      void manager.create("exclusive_task", [1]);
      manager.restart("t1");
    });
    await clock.advance(1000);
    expect(begun(trace)).toEqual(["t1", "t2", "t3", "t1"]);
  });

  test("defect 12: a cancelled body does its own bookkeeping before the slot is given away", async () => {
    const book: string[] = [];
    const stacking = defineTask({
      type: "stacking_task",
      concurrency: "exclusive",
      input: () => undefined,
      async *run(_, { clock, signal, id }) {
        try {
          book.push(`${id} running`);
          yield { current: 0, total: 1, message: "" };
          await clock.sleep(1000, signal);
        } catch (cause) {
          await clock.sleep(100);
          book.push(`${id} ${cause instanceof ScanError ? cause.code : "failed"}`);
          throw cause;
        } finally {
          await clock.sleep(100);
          book.push(`${id} tidied`);
        }
      },
    });
    const { manager, clock } = createManager({ types: [stacking] });
    await manager.create("stacking_task");
    await manager.create("stacking_task");
    manager.cancel("t1");
    await clock.advance(200);
    expect(book).toEqual(["t1 running", "t1 cancelled", "t1 tidied", "t2 running"]);
  });

  test("defect 12: a body stopped at a yield is closed, and its cleanup may yield", async () => {
    const book: string[] = [];
    const types = [
      defineTask({
        type: "yielding_task",
        concurrency: "exclusive",
        input: () => undefined,
        async *run(_, { clock }) {
          try {
            yield { current: 1, total: 2, message: "first" };
            yield { current: 2, total: 2, message: "second" };
          } finally {
            yield { current: 0, total: 2, message: "homing" };
            await clock.sleep(100);
            book.push("homed");
          }
        },
      }),
    ];
    const { manager, clock, told } = createManager({ types });
    manager.events.on((event) => {
      if (event.type === "updated" && event.task.progress.message === "first") manager.pause("t1");
    });
    await manager.create("yielding_task");
    await settle();
    manager.cancel("t1");
    await clock.run(manager.ended("t1"));
    expect(book).toEqual(["homed"]);
    expect(told("t1").slice(-3)).toEqual([
      "paused 1/2 Task paused.",
      "cancelled 1/2 Task paused.",
      "cancelled 1/2 Task paused. (ended)",
    ]);
  });
});

test("a failing cleanup of a cancelled task is logged, the task stays cancelled", async () => {
  const types = [
    defineTask({
      type: "untidy_task",
      concurrency: "exclusive",
      input: () => undefined,
      async run(_, { clock, signal }) {
        await clock.sleep(1000, signal).catch(() => {});
        throw new Error("motor jammed");
      },
    }),
  ];
  const { manager, clock, log } = createManager({ types });
  await manager.create("untidy_task");
  manager.cancel("t1");
  expect(await clock.run(manager.ended("t1"))).toMatchObject({
    status: "cancelled",
    error: "Task cancelled by user.",
  });
  expect(log.lines).toMatchObject([
    { level: "warn", fields: { err: { message: "motor jammed" }, task: "t1" } },
  ]);
});

describe("defect 10:", () => {
  test("events are snapshots of their moment, in the order of the transitions", async () => {
    const { manager, clock, events, told } = createManager();
    const created = manager.create("concurrent_task");
    manager.cancel("t1");
    expect(told("t1")).toEqual(["pending 0/0", "running 0/0", "cancelled 0/0"]);
    const before = structuredClone(events);
    await created;
    await clock.run(manager.ended("t1"));
    expect(events.slice(0, 3)).toEqual(before);
  });

  test("every listener sees the same order, also when one of them acts", async () => {
    const { manager, events } = createManager();
    const seen: unknown[] = [];
    manager.events.on((event) => {
      if (event.type === "updated" && event.task.status === "running") manager.pause(event.task.id);
    });
    manager.events.on((event) => seen.push(event));
    await manager.create("concurrent_task");
    expect(seen).toEqual(events);
    expect(seen).toMatchObject([
      { task: { status: "pending" } },
      { task: { status: "running" } },
      { task: { status: "paused" } },
    ]);
  });
});

test("defect 11: a deletion is told", async () => {
  const { manager, clock, events } = createManager();
  const { id } = await manager.create("concurrent_task");
  await clock.run(manager.ended(id));
  await manager.delete(id);
  expect(events.at(-1)).toEqual({ type: "deleted", id });
});

test("defect 40: all times are UTC and say so", async () => {
  const { manager, clock } = createManager();
  const { id } = await manager.create("concurrent_task");
  expect(await clock.run(manager.ended(id))).toMatchObject({
    created_at: "2026-01-01T00:00:00.000Z",
    started_at: "2026-01-01T00:00:00.000Z",
    completed_at: "2026-01-01T00:00:00.200Z",
  });
});

describe("defect 42: at shutdown", () => {
  test("everything is interrupted, unwinds, and is on the disk with its last progress", async () => {
    const { manager, clock, store, trace, told } = createManager();
    await manager.create("exclusive_task", [1000], { ms: 1, cleanupMs: 300 });
    await manager.create("exclusive_task");
    await clock.advance(7);
    expect(store.files.get("t1")?.progress.current).toBe(1);
    const closed = manager.close();
    expect(manager.close()).toBe(closed);
    await clock.run(closed);
    expect(trace).toEqual(["t1 begins", "t1 ends"]);
    expect(store.files.get("t1")).toMatchObject({
      status: "interrupted",
      completed_at: null,
      progress: { current: 7 },
    });
    expect(store.files.get("t2")).toMatchObject({ status: "interrupted", started_at: null });
    expect(told("t1").at(-1)).toBe("interrupted 7/1000 step 7");
    expect(told("t2")).toEqual(["pending 0/0", "interrupted 0/0"]);
    expect(clock.monotonic()).toBe(307);
    expect(clock.pending).toBe(0);
  });

  test("a body that does not end is waited for no longer than the grace", async () => {
    const { manager, clock, log } = createManager({ shutdownGraceMs: 1000 });
    await manager.create("concurrent_task", [1000], { ms: 1e6, deaf: true });
    await clock.run(manager.close());
    expect(clock.monotonic()).toBe(1000);
    expect(manager.get("t1")).toMatchObject({ status: "interrupted" });
    expect(log.lines).toMatchObject([{ level: "warn", fields: { task: "t1", type: "concurrent_task" } }]);
  });

  test("a body can tell it from a cancel", async () => {
    const reasons: unknown[] = [];
    const types = [
      defineTask({
        type: "asking_task",
        concurrency: "concurrent",
        input: () => undefined,
        run: (_, { clock, signal }) =>
          clock.sleep(1e6, signal).catch((reason: unknown) => reasons.push(reason)),
      }),
    ];
    const { manager, clock } = createManager({ types });
    await manager.create("asking_task");
    await manager.create("asking_task");
    manager.cancel("t1");
    await clock.run(manager.close());
    expect(reasons).toEqual([expect.objectContaining({ code: "cancelled" }), expect.any(TaskInterrupted)]);
  });

  test("a task that is being cancelled stays cancelled", async () => {
    const { manager, clock, told } = createManager();
    await manager.create("concurrent_task", [1], { cleanupMs: 100 });
    manager.cancel("t1");
    await clock.run(manager.close());
    expect(told("t1").slice(-2)).toEqual(["cancelled 0/0", "cancelled 0/0 (ended)"]);
  });

  test("nothing can be created or restarted any more", async () => {
    const { manager, clock } = createManager();
    await manager.create("exclusive_task");
    await clock.run(manager.close());
    await expect(manager.create("exclusive_task")).rejects.toMatchObject({ code: "offline" });
    expect(() => manager.resume("t1")).toThrow(expect.objectContaining({ code: "offline" }));
  });
});
