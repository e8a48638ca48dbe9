import type { LiveTask, Task, TaskProgress } from "@openscan/protocol";
import { describe, expect, test } from "vitest";
import type { TaskEvent } from "./task-book.js";
import { historyProblem } from "./task-history.js";

const identity = {
  id: "t1",
  name: "a_task",
  task_type: "a_task",
  is_exclusive: false,
  is_blocking: false,
  created_at: "10:00",
  run_args: [],
  run_kwargs: {},
};
const clean = { result: null, error: null, started_at: null, completed_at: null };
const progress = (current = 0, total = 0, message = ""): TaskProgress =>
  Object.freeze({ current, total, message });
const updated = (changes: Partial<Task> & Pick<Task, "status">): TaskEvent => ({
  type: "updated",
  task: Object.freeze({ ...identity, ...clean, progress: progress(), ...changes, revision: 1 }),
});
/** The events with revisions that grow. */
const counted = (events: readonly TaskEvent[]) =>
  events.map((event, index): TaskEvent => {
    if (event.type === "deleted") return event;
    const task = { ...event.task, revision: index };
    return { type: "updated", task: Object.isFrozen(event.task) ? Object.freeze(task) : task };
  });

const started_at = "10:01";
const completed_at = "10:02";
const pending = updated({ status: "pending" });
const running = updated({ status: "running", started_at });
const half = updated({ status: "running", started_at, progress: progress(1, 2, "half") });
const whole = updated({ status: "running", started_at, progress: progress(2, 2, "whole") });
const paused = updated({ status: "paused", started_at, progress: progress(1, 2, "Paused.") });
const resumed = updated({ status: "running", started_at, progress: progress(1, 2, "Resumed.") });
const completed = updated({
  status: "completed",
  started_at,
  completed_at,
  progress: progress(2, 2, "whole"),
  result: 1,
});
const done = updated({ status: "completed", started_at, completed_at });
const failed = updated({
  status: "error",
  started_at,
  completed_at,
  error: "no",
  progress: progress(1, 2, "half"),
});
const cancelling = updated({
  status: "cancelled",
  started_at,
  error: "user",
  progress: progress(1, 2, "half"),
});
const cancelled = updated({ ...taskOf(cancelling), completed_at });
const dequeued = updated({ status: "cancelled", completed_at, error: "user" });
const interrupted = updated({
  status: "interrupted",
  started_at,
  error: "shutdown",
  progress: progress(1, 2, "half"),
});
const deleted: TaskEvent = { type: "deleted", id: "t1" };

function taskOf(event: TaskEvent): LiveTask {
  if (event.type === "deleted") throw new Error("a deleted task has no record");
  return event.task;
}

describe("allowed", () => {
  test.each<[string, TaskEvent[]]>([
    ["nothing yet", []],
    ["a generator completes", [pending, running, half, whole, completed]],
    ["a silent body completes", [pending, running, done]],
    ["a body fails", [pending, running, half, failed]],
    ["pause and resume", [pending, running, half, paused, resumed, whole, completed]],
    ["cancel of a running task", [pending, running, half, cancelling, cancelled]],
    ["cancel of a queued task", [pending, dequeued]],
    ["restart", [pending, dequeued, pending, running, done]],
    ["restart after an interruption", [pending, running, half, interrupted, pending, running, done]],
    ["removal", [pending, running, half, failed, deleted]],
  ])("%s", (_, events) => {
    expect(historyProblem(counted(events))).toBeUndefined();
  });

  test("cancel while paused", () => {
    const stopping = updated({ ...taskOf(cancelling), progress: progress(1, 2, "Paused.") });
    const stopped = updated({ ...taskOf(stopping), completed_at });
    expect(historyProblem(counted([pending, running, half, paused, stopping, stopped]))).toBeUndefined();
  });
});

describe("not allowed", () => {
  test("a revision that does not grow", () => {
    expect(historyProblem([pending, running])).toBe("event 1 (running): after revision 1 comes 1");
  });

  test.each<[string, TaskEvent[], RegExp]>([
    ["a start without a creation", [running], /event 0 \(running\): after new/],
    ["a second creation", [pending, pending], /after pending/],
    ["a failure before the start", [pending, failed], /after pending/],
    ["completion before the start", [pending, done], /after pending/],
    ["progress while paused", [pending, running, half, paused, paused], /after paused/],
    ["cancel in two phases of a queued task", [pending, cancelling], /after pending/],
    ["cancel in one phase of a running task", [pending, running, cancelled], /after running/],
    [
      "the same phase of a cancel twice",
      [pending, running, half, cancelling, cancelling],
      /after cancelling/,
    ],
    ["progress after a cancel", [pending, running, half, cancelling, whole], /after cancelling/],
    ["a restart before the body unwound", [pending, running, half, cancelling, pending], /after cancelling/],
    ["a restart of a completed task", [pending, running, done, pending], /after completed/],
    ["a removal of a running task", [pending, running, deleted], /after running/],
    ["anything after a removal", [pending, dequeued, deleted, pending], /after gone/],
  ])("%s", (_, events, problem) => {
    expect(historyProblem(counted(events))).toMatch(problem);
  });

  test.each<[string, TaskEvent[], RegExp]>([
    ["a snapshot that may change", [{ type: "updated", task: { ...taskOf(pending) } }], /not frozen/],
    ["another identity", [pending, updated({ ...taskOf(running), created_at: "9:00" })], /identity/],
    ["other arguments", [pending, updated({ ...taskOf(running), run_args: [1] })], /identity/],
    ["a start without a time", [pending, updated({ status: "running" })], /started_at is null/],
    [
      "another start time",
      [pending, running, updated({ ...taskOf(half), started_at: "9:00" })],
      /started_at changed/,
    ],
    ["an early end time", [pending, updated({ ...taskOf(running), completed_at })], /completed_at is 10:02/],
    ["an early result", [pending, updated({ ...taskOf(running), result: 1 })], /result before/],
    ["an error of a task that runs", [pending, updated({ ...taskOf(running), error: "no" })], /error is no/],
    [
      "a failure without an error",
      [pending, running, half, updated({ ...taskOf(failed), error: null })],
      /error is null/,
    ],
    [
      "an end without a time",
      [pending, running, updated({ ...taskOf(done), completed_at: null })],
      /completed_at is null/,
    ],
    [
      "an interruption with an end",
      [pending, running, half, updated({ ...taskOf(interrupted), completed_at })],
      /completed_at/,
    ],
    [
      "an unfilled progress",
      [pending, running, half, updated({ ...taskOf(completed), progress: progress(1, 2, "half") })],
      /below its total/,
    ],
    [
      "a pause that moves",
      [pending, running, half, updated({ ...taskOf(paused), progress: progress(2, 2, "Paused.") })],
      /by itself/,
    ],
    [
      "a pause that says nothing",
      [pending, running, half, updated({ ...taskOf(paused), progress: progress(1, 2, "half") })],
      /message/,
    ],
    [
      "a cancel with another message",
      [pending, running, half, updated({ ...taskOf(cancelling), progress: progress(1, 2, "Stopping") })],
      /message/,
    ],
    [
      "a stale restart",
      [pending, dequeued, updated({ status: "pending", progress: progress(1, 2, "") })],
      /not fresh/,
    ],
  ])("%s", (_, events, problem) => {
    expect(historyProblem(counted(events))).toMatch(problem);
  });
});
