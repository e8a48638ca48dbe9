import type { Task, TaskStatus } from "@openscan/protocol";
import fc from "fast-check";
import { expect, test } from "vitest";
import { completed, running, task } from "../test/support/fixtures.js";
import { type TaskEvent, tasksFeed, type TasksResync } from "./tasks-feed.js";

const update = (changed: Task): TaskEvent => ({ type: "task.update", task: changed });
const resync = (...tasks: Task[]): TasksResync => ({ type: "resync", tasks });
const invalid = (message: string) => ({ type: "invalid", message, reason: "" }) as const;

test("an update replaces the task in its place; a new one is added at the end", () => {
  const state = resync(task("a"), task("b"));
  expect(tasksFeed.fold(state, update(running("a", 1)))).toEqual(resync(running("a", 1), task("b")));
  expect(tasksFeed.fold(state, update(task("c")))).toEqual(resync(task("a"), task("b"), task("c")));
  expect(state).toEqual(resync(task("a"), task("b")));
});

test("an update that the snapshot has certainly overtaken is dropped", () => {
  expect(tasksFeed.fold(resync(completed("a")), update(running("a", 3)))).toBeUndefined();
  const cancelled = completed("a");
  const cancelling = running("a", 3, { status: "cancelled" });
  expect(tasksFeed.fold(resync({ ...cancelled, status: "cancelled" }), update(cancelling))).toBeUndefined();
});

test("a restart of an ended task is not taken for an old update", () => {
  const again = running("a", 0, { started_at: "2026-01-02T00:00:00.000Z" });
  expect(tasksFeed.fold(resync(completed("a")), update(again))).toEqual(resync(again));
  expect(tasksFeed.fold(resync(completed("a")), update(task("a")))).toEqual(resync(task("a")));
});

test("progress that goes back is believed: a later event puts it right if it was old", () => {
  expect(tasksFeed.fold(resync(running("a", 5)), update(running("a", 3)))).toEqual(resync(running("a", 3)));
});

test("merging keeps the latest progress of a task and every change of status", () => {
  const events = [
    update(task("a")),
    update(running("a", 1)),
    update(running("b", 1)),
    update(running("a", 2)),
    update(running("b", 2)),
    update({ ...running("a", 2), status: "paused" }),
    update(running("a", 3)),
    update(running("a", 4)),
    update(completed("a")),
  ];
  expect(tasksFeed.compact(events)).toEqual([
    events[0],
    events[3],
    events[4],
    events[5],
    events[7],
    events[8],
  ]);
});

test("merging keeps the latest snapshot and the latest notice only", () => {
  const events = [resync(), invalid("1"), update(running("a", 1)), resync(task("b")), invalid("2")];
  expect(tasksFeed.compact(events)).toEqual([events[2], events[3], events[4]]);
});

test("for any sequence, merging keeps each task's statuses, its last state and the order of what is left", () => {
  const statuses: TaskStatus[] = ["pending", "running", "paused", "completed", "error"];
  const events = fc.array(
    fc.record({
      id: fc.constantFrom("a", "b", "c"),
      status: fc.constantFrom(...statuses),
      current: fc.nat(9),
    }),
    { maxLength: 60 },
  );
  fc.assert(
    fc.property(events, (changes) => {
      const before = changes.map(({ id, status, current }) => update({ ...running(id, current), status }));
      const after = tasksFeed.compact(before) as TaskEvent[];
      expect(after.map((event) => before.indexOf(event))).toEqual(
        after.map((event) => before.indexOf(event)).toSorted((a, b) => a - b),
      );
      for (const id of ["a", "b", "c"]) {
        const [all, kept] = [before, after].map((list) => list.filter((event) => event.task.id === id));
        expect(kept?.map((event) => event.task.status)).toEqual(
          all?.map((event) => event.task.status).filter((status, at, list) => status !== list[at - 1]),
        );
        expect(kept?.at(-1)).toBe(all?.at(-1));
      }
      expect(tasksFeed.compact(after)).toEqual(after);
    }),
    { numRuns: 100 },
  );
});
