import { type Task, TaskStatus } from "@openscan/protocol";
import { describe, expect, test } from "vitest";
import * as machine from "./task-machine.js";

const at = "2026-01-01T00:00:00.000Z";
const later = "2026-01-01T00:01:00.000Z";

const pending = machine.created({
  id: "t1",
  name: "scan_task",
  is_exclusive: true,
  is_blocking: false,
  created_at: at,
  run_args: [1],
  run_kwargs: { a: 2 },
});
const running = machine.reported(machine.started(pending, at), { current: 3, total: 9, message: "moving" });
const inState: Record<TaskStatus, Task> = {
  pending,
  running,
  paused: machine.paused(running),
  completed: machine.completed(running, "done", later),
  cancelled: machine.cancelled(running, "by user", later),
  error: machine.failed(running, "no camera", later),
  interrupted: machine.interrupted(running),
};

const transitions = {
  started: (task: Task) => machine.started(task, at),
  reported: (task: Task) => machine.reported(task, { current: 1, total: 2, message: "" }),
  paused: machine.paused,
  resumed: machine.resumed,
  completed: (task: Task) => machine.completed(task, 1, later),
  failed: (task: Task) => machine.failed(task, "x", later),
  cancelled: (task: Task) => machine.cancelled(task, "x", null),
  unwound: (task: Task) => machine.unwound(task, later),
  interrupted: machine.interrupted,
  restarted: machine.restarted,
};

/** Every status that each transition accepts. */
const accepted: Record<keyof typeof transitions, TaskStatus[]> = {
  started: ["pending"],
  reported: ["running"],
  paused: ["running"],
  resumed: ["paused"],
  completed: ["running", "paused"],
  failed: ["running", "paused"],
  cancelled: ["pending", "running", "paused"],
  unwound: ["cancelled"],
  interrupted: ["pending", "running", "paused"],
  restarted: ["cancelled", "error", "interrupted"],
};

describe.each(Object.keys(transitions) as (keyof typeof transitions)[])("%s", (name) => {
  test.each(TaskStatus.options)("of a task that is %s", (status) => {
    const change = () => transitions[name](inState[status]);
    if (!accepted[name].includes(status)) {
      expect(change).toThrow(`it is ${status}`);
      return;
    }
    const before = structuredClone(inState[status]);
    const after = change();
    expect(after).not.toBe(inState[status]);
    expect(inState[status]).toEqual(before);
    expect(Object.isFrozen(after) && Object.isFrozen(after.progress)).toBe(true);
  });
});

test("a new task is pending and carries nothing of a run", () => {
  expect(pending).toEqual({
    id: "t1",
    name: "scan_task",
    task_type: "scan_task",
    is_exclusive: true,
    is_blocking: false,
    status: "pending",
    progress: { current: 0, total: 0, message: "" },
    result: null,
    error: null,
    created_at: at,
    started_at: null,
    completed_at: null,
    run_args: [1],
    run_kwargs: { a: 2 },
  });
});

test("a pause and its end replace the message and nothing else of the progress", () => {
  const paused = machine.paused(running);
  expect(paused).toMatchObject({
    status: "paused",
    progress: { current: 3, total: 9, message: "Task paused." },
  });
  expect(machine.resumed(paused)).toMatchObject({
    status: "running",
    progress: { current: 3, total: 9, message: "Task resumed." },
  });
});

test("completion fills the progress up", () => {
  expect(inState.completed).toMatchObject({
    status: "completed",
    progress: { current: 9, total: 9, message: "moving" },
    result: "done",
    error: null,
    completed_at: later,
  });
});

test("a cancel has two phases: without and with the time at which the body had unwound", () => {
  const cancelling = machine.cancelled(running, "by user", null);
  expect(cancelling).toMatchObject({ status: "cancelled", error: "by user", completed_at: null });
  expect(machine.unwound(cancelling, later)).toEqual({ ...cancelling, completed_at: later });
});

test("an interrupted task has no end time", () => {
  expect(inState.interrupted).toMatchObject({
    completed_at: null,
    error: expect.stringMatching(/interrupted/),
  });
});

test.each(["cancelled", "error", "interrupted"] as const)("a restart of a task in %s resets it", (status) => {
  expect(machine.restarted(inState[status])).toEqual(pending);
});

describe("the end of a body", () => {
  test("fails the task with the text of what was thrown", () => {
    expect(machine.concluded(running, { error: new Error("no camera") }, later)).toEqual(inState.error);
    expect(machine.concluded(running, { error: new RangeError() }, later).error).toBe("RangeError");
    expect(machine.concluded(running, { error: "plain" }, later).error).toBe("plain");
  });

  test("completes it with its result; no result is null", () => {
    expect(machine.concluded(running, { result: "done" }, later)).toEqual(inState.completed);
    expect(machine.concluded(running, { result: undefined }, later)).toMatchObject({
      status: "completed",
      result: null,
    });
  });

  test("fails it when the result has no JSON form", () => {
    expect(machine.concluded(running, { result: { bytes: new Uint8Array(1) } }, later)).toMatchObject({
      status: "error",
      error: "result.bytes is not JSON",
      result: null,
    });
  });

  test.each([{ result: 1 }, { error: new Error("late") }])("does not undo a stop: %j", (outcome) => {
    const cancelling = machine.cancelled(running, "by user", null);
    expect(machine.concluded(cancelling, outcome, later)).toEqual(machine.unwound(cancelling, later));
    expect(machine.concluded(inState.interrupted, outcome, later)).toBe(inState.interrupted);
  });
});

describe("a task of an earlier process", () => {
  test.each(["cancelled", "error", "interrupted"] as const)("that is %s stays what it was", (status) => {
    expect(machine.restored(inState[status], true, later)).toBe(inState[status]);
  });

  test("that was cancelled and killed before its body had unwound has ended now", () => {
    const cancelling = machine.cancelled(running, "by user", null);
    expect(machine.restored(cancelling, true, later)).toEqual(machine.unwound(cancelling, later));
  });

  test.each(["pending", "running", "paused"] as const)("that was %s is interrupted", (status) => {
    expect(machine.restored(inState[status], true, later)).toEqual(machine.interrupted(inState[status]));
  });

  test.each(TaskStatus.exclude(["completed"]).options)(
    "that was %s fails without its type, once",
    (status) => {
      const failed = machine.restored(inState[status], false, later);
      expect(failed).toMatchObject({
        status: "error",
        error: 'Task type "scan_task" is not registered.',
        completed_at: later,
      });
      expect(machine.restored(failed, false, "another time")).toBe(failed);
    },
  );
});
