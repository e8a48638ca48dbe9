import type { Task } from "@openscan/protocol";
import { expect, test } from "vitest";
import { completed, running, task } from "../test/support/fixtures.js";
import { revised, update } from "../test/support/messages.js";
import type { Rest } from "./rest.js";
import { tasksFeed } from "./tasks-feed.js";

const after = (state: readonly Task[], message: { readonly type: string }) =>
  tasksFeed.fold(state, message)?.state;

test("an update replaces the task in its place; a new one is added at the end", () => {
  const state = [task("a"), task("b")];
  expect(after(state, update(running("a", 1)))).toEqual([running("a", 1), task("b")]);
  expect(after(state, update(task("c")))).toEqual([task("a"), task("b"), task("c")]);
  expect(state).toEqual([task("a"), task("b")]);
});

test("the highest revision wins", () => {
  const state = [revised(running("a", 5), 5)];
  expect(after(state, update(revised(running("a", 4), 4)))).toBe(state);
  expect(after(state, update(revised(running("a", 6), 6)))).toEqual([revised(running("a", 6), 6)]);
  expect(after(state, update(revised(task("a"), 6)))).toEqual([revised(task("a"), 6)]);
});

test("without revisions an update that was certainly overtaken changes nothing", () => {
  const state = [completed("a")];
  expect(after(state, update(running("a", 3)))).toBe(state);
  const cancelled = [{ ...completed("a"), status: "cancelled" as const }];
  expect(after(cancelled, update(running("a", 3, { status: "cancelled" })))).toBe(cancelled);
});

test("a restart of an ended task is not taken for an old update", () => {
  const again = running("a", 0, { started_at: "2026-01-02T00:00:00.000Z" });
  expect(after([completed("a")], update(again))).toEqual([again]);
  expect(after([completed("a")], update(task("a")))).toEqual([task("a")]);
});

test("without revisions progress that goes back is believed: a later event puts it right if it was old", () => {
  expect(after([running("a", 5)], update(running("a", 3)))).toEqual([running("a", 3)]);
});

test("a deleted task is left out", () => {
  const gone = { type: "task.deleted", id: "a" };
  expect(after([task("a"), task("b")], gone)).toEqual([task("b")]);
});

test.each([
  { type: "task.update" },
  { type: "task.update", task: { id: 1 } },
  { type: "task.update", task: null },
])("%j is no update", (message) => {
  expect(() => after([], message)).toThrow("the task's id is missing or of the wrong kind");
});

test("an answer that is no list is a failure", async () => {
  const rest = { request: async () => "<html>" } as unknown as Rest;
  await expect(tasksFeed.fetch(rest, new AbortController().signal)).rejects.toThrow("the list of tasks");
});
