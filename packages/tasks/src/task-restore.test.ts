import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { legacyTask, type Task, type TaskStatus } from "@openscan/protocol";
import { silentLogger } from "@openscan/runtime";
import { settle } from "@openscan/runtime/testing";
import { expect, test } from "vitest";
import { createManager } from "../test/create-manager.js";
import { FileTaskStore } from "./index.js";
import { created } from "./task-machine.js";

const record = (id: string, status: TaskStatus, changes: Partial<Task> = {}): Task => ({
  ...created({
    id,
    name: "concurrent_task",
    is_exclusive: false,
    is_blocking: false,
    created_at: "2025-12-31T10:00:00.000Z",
    run_args: [1],
    run_kwargs: {},
  }),
  status,
  ...changes,
});

async function restore(records: Task[], options: Parameters<typeof createManager>[0] = {}) {
  const parts = createManager({ newId: () => "new", ...options });
  for (const task of records) await parts.store.save(task);
  parts.store.writes.length = 0;
  await parts.manager.restore();
  return parts;
}

test.each(["running", "paused"] as const)(
  "a task that was %s is interrupted, and stored so",
  async (status) => {
    const { manager, store } = await restore([record("a", status, { started_at: "x" })]);
    const expected = {
      status: "interrupted",
      error: "Task was interrupted by a shutdown.",
      completed_at: null,
    };
    expect(manager.get("a")).toMatchObject(expected);
    expect(store.files.get("a")).toMatchObject(expected);
  },
);

test("defect 2: a task that was pending is interrupted and does not start by itself", async () => {
  const { manager, clock, trace } = await restore([record("a", "pending")]);
  await clock.advance(10_000);
  expect(manager.get("a")).toMatchObject({ status: "interrupted" });
  expect(trace).toEqual([]);
});

test("defect 2: a task that was pending can be deleted, and restarted", async () => {
  const { manager, clock } = await restore([record("a", "pending"), record("b", "pending")]);
  await manager.delete("a");
  manager.restart("b");
  expect(await clock.run(manager.ended("b"))).toMatchObject({ status: "completed" });
  expect(manager.list().map(({ id }) => id)).toEqual(["b"]);
});

test.each(["cancelled", "error", "interrupted"] as const)(
  "a task that was %s is listed as it was",
  async (status) => {
    const task = record("a", status, { error: "why", completed_at: "x" });
    const { manager, store, events } = await restore([task]);
    expect(manager.list()).toEqual([{ ...task, revision: expect.any(Number) as number }]);
    expect(store.writes).toEqual([]);
    expect(events).toEqual([{ type: "updated", task: manager.get("a") }]);
  },
);

test("a task that was killed while its cancelled body unwound has ended, and is stored so", async () => {
  const { manager, store, events } = await restore([record("a", "cancelled", { error: "by user" })]);
  const ended = { status: "cancelled", error: "by user", completed_at: "2026-01-01T00:00:00.000Z" };
  expect(manager.get("a")).toMatchObject(ended);
  expect(store.files.get("a")).toMatchObject(ended);
  expect(events).toMatchObject([{ type: "updated", task: ended }]);
});

test("a completed task is removed and not listed", async () => {
  const { manager, store, events } = await restore([record("a", "completed")]);
  expect([manager.list(), [...store.files], events]).toEqual([[], [], []]);
});

test("a task of an unknown type fails, naming the type", async () => {
  const { manager, store } = await restore([
    record("a", "cancelled", { task_type: "old_task", name: "old_task" }),
  ]);
  const expected = { status: "error", error: 'Task type "old_task" is not registered.' };
  expect(manager.get("a")).toMatchObject(expected);
  expect(store.files.get("a")).toMatchObject(expected);
  expect(() => manager.restart("a")).toThrow(expect.objectContaining({ code: "not_found" }));
  expect(manager.get("a")).toMatchObject(expected);
});

test("defect 11: all tasks that are there are announced, as they are now", async () => {
  const { events } = await restore([record("a", "running"), record("b", "error"), record("c", "completed")]);
  expect(events).toEqual([
    { type: "updated", task: expect.objectContaining({ id: "a", status: "interrupted" }) },
    { type: "updated", task: expect.objectContaining({ id: "b", status: "error" }) },
  ]);
});

test("tasks are listed in the order of their creation", async () => {
  const at = (day: number) => ({ created_at: `2025-12-0${day}T00:00:00.000Z` });
  const { manager } = await restore([
    record("a", "error", at(3)),
    record("b", "error", at(1)),
    record("c", "error", at(2)),
  ]);
  await manager.create("concurrent_task");
  expect(manager.list().map(({ id }) => id)).toEqual(["b", "c", "a", "new"]);
});

test("more ended tasks than are kept: the oldest go", async () => {
  const at = (day: number) => ({ created_at: `2025-12-0${day}T00:00:00.000Z` });
  const { manager, store } = await restore([record("a", "error", at(3)), record("b", "error", at(1))], {
    limits: { ended: 1 },
  });
  await settle();
  expect(manager.list().map(({ id }) => id)).toEqual(["a"]);
  expect([...store.files.keys()]).toEqual(["a"]);
});

test("defect 9: the resume of an interrupted task restarts it, with its arguments", async () => {
  const { manager, clock } = await restore([
    record("a", "running", { run_args: [3], run_kwargs: { ms: 1 } }),
  ]);
  expect(manager.resume("a")).toMatchObject({
    status: "running",
    error: null,
    created_at: "2025-12-31T10:00:00.000Z",
  });
  expect(await clock.run(manager.ended("a"))).toMatchObject({ status: "completed", result: { steps: 3 } });
});

test("stored arguments that are not valid end the restarted task in error", async () => {
  const { manager, clock } = await restore([record("a", "interrupted", { run_args: ["many"] })]);
  manager.resume("a");
  expect(await clock.run(manager.ended("a"))).toMatchObject({
    status: "error",
    error: expect.stringContaining("steps"),
  });
});

test("tasks survive a shutdown on a real disk", async () => {
  const directory = await mkdtemp(join(tmpdir(), "openscan-restore-"));
  try {
    const store = new FileTaskStore({ directory, log: silentLogger });
    const first = createManager({ store });
    await first.manager.create("exclusive_task", [5]);
    await first.manager.create("exclusive_task", [1]);
    await first.clock.advance(100);
    const closed = first.manager.close();
    await first.clock.advance(0);
    await closed;
    const second = createManager({ store, newId: () => "new" });
    await second.manager.restore();
    expect(second.manager.list().map(legacyTask)).toEqual(first.manager.list().map(legacyTask));
    expect(second.statuses()).toEqual({ t1: "interrupted", t2: "interrupted" });
    second.manager.resume("t2");
    await second.clock.run(second.manager.ended("t2"));
    await second.manager.delete("t1");
    await second.manager.close();
    expect(await readdir(directory)).toEqual(["t2.json"]);
  } finally {
    await rm(directory, { recursive: true });
  }
});
