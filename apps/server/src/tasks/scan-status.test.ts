import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { LiveTask, Scan } from "@openscan/protocol";
import { Emitter } from "@openscan/runtime";
import type { TaskEvent } from "@openscan/tasks";
import { expect, test } from "vitest";
import { followScanTasks } from "./scan-status.js";
import { createBench, fivePoints, untilAborted } from "./testing.js";

const storedScan = async (directory: string) =>
  JSON.parse(await readFile(join(directory, "Vase/scan01/scan.json"), "utf8")) as Scan;

test("defect 20: a completed scan is completed for the next process, too", async () => {
  const { start, ended, restarted, directory } = await createBench();
  await ended((await start()).id);
  expect(await storedScan(directory)).toMatchObject({ status: "completed" });
  const { store } = await restarted();
  expect(store.scan("Vase", 1)).toMatchObject({ status: "completed", current_step: 5 });
});

test("defect 21: the scan's file follows its task through pause, resume and cancel", async () => {
  const { device, start, ended, tasks, store, following, directory, seen } = await createBench();
  const { id } = await start();
  device.before = (step, signal) => (step === "capture" ? untilAborted(signal) : undefined);
  await seen((task) => task.progress.total > 0);
  expect(store.scan("Vase", 1)).toMatchObject({ status: "running", task_id: id });
  for (const [act, status] of [
    ["pause", "paused"],
    ["resume", "running"],
    ["cancel", "cancelled"],
  ] as const) {
    tasks[act](id);
    expect(store.scan("Vase", 1).status).toBe(status);
    await following.settled();
    expect(await storedScan(directory)).toMatchObject({ status, task_id: id });
  }
  await ended(id);
  expect(await storedScan(directory)).toMatchObject({ status: "cancelled" });
});

test("a queued scan that is cancelled is cancelled (extends defect 21)", async () => {
  const { device, start, ended, tasks, store, seen } = await createBench();
  const first = await start();
  device.before = (step, signal) => (step === "capture" ? untilAborted(signal) : undefined);
  const second = await start();
  await seen((task) => task.id === first.id && task.status === "running");
  expect(store.scan("Vase", 2)).toMatchObject({ status: "pending", task_id: second.id });
  tasks.cancel(second.id);
  expect(store.scan("Vase", 2)).toMatchObject({ status: "cancelled" });
  tasks.cancel(first.id);
  await ended(first.id);
});

test("defect 22: pause, cancel and resume of a finished task leave its scan completed", async () => {
  const { start, ended, tasks, scans, store } = await createBench();
  const { id } = await start();
  await ended(id);
  for (const act of ["pause", "cancel", "resume", "restart"] as const) {
    tasks[act](id);
    expect(store.scan("Vase", 1)).toMatchObject({ status: "completed" });
  }
  expect(scans.pause("Vase", 1)).toMatchObject({ status: "completed" });
  expect(scans.cancel("Vase", 1)).toMatchObject({ status: "completed" });
  expect(store.scan("Vase", 1)).toMatchObject({ status: "completed" });
});

test("defect 23: a failure before the first position is told by the scan and its file", async () => {
  const { device, start, ended, directory } = await createBench();
  device.before = (step) => {
    if (step === "prepare") throw new Error("endstop not found");
  };
  const end = await ended((await start()).id);
  expect(end).toMatchObject({ status: "error", error: "endstop not found" });
  expect(await storedScan(directory)).toMatchObject({ status: "error", system_message: "endstop not found" });
});

test("defect 12: the stacking status follows its task, a cancel included", async () => {
  const { device, store, log, directory } = await createBench();
  await store.create("Vase", null);
  const camera = { camera_name: "front", camera_settings: device.cameraSettings };
  await store.createScan("Vase", { settings: fivePoints, ...camera, description: null });
  const events = new Emitter<TaskEvent>(log);
  const following = followScanTasks(events, store, log);
  const task = { id: "t", task_type: "focus_stacking_task", run_args: ["Vase", 1] } as unknown as LiveTask;
  for (const status of ["pending", "running", "cancelled"] as const) {
    events.emit({ type: "updated", task: { ...task, status } });
    expect(store.scan("Vase", 1).stacking_task_status).toEqual({ task_id: "t", status });
  }
  await following.settled();
  expect(await storedScan(directory)).toMatchObject({
    status: "pending",
    stacking_task_status: { task_id: "t", status: "cancelled" },
  });
});

test("what is told of older stacking tasks when a server starts does not hide the newest", async () => {
  const { device, store, log } = await createBench();
  await store.create("Vase", null);
  const camera = { camera_name: "front", camera_settings: device.cameraSettings };
  await store.createScan("Vase", { settings: fivePoints, ...camera, description: null });
  const events = new Emitter<TaskEvent>(log);
  const following = followScanTasks(events, store, log);
  const tell = (id: string, status: LiveTask["status"]) => {
    const task = { id, status, task_type: "focus_stacking_task", run_args: ["Vase", 1] };
    events.emit({ type: "updated", task: task as unknown as LiveTask });
    return store.scan("Vase", 1).stacking_task_status;
  };
  for (const status of ["pending", "running", "completed"] as const) tell("new", status);
  expect(tell("old", "cancelled")).toEqual({ task_id: "new", status: "completed" });
  expect(tell("new", "interrupted")).toEqual({ task_id: "new", status: "completed" });
  expect(tell("next", "pending")).toEqual({ task_id: "next", status: "pending" });

  await store.updateScan("Vase", 1, () => ({
    stacking_task_status: { task_id: null, status: "interrupted" },
  }));
  expect(tell("old", "error")).toEqual({ task_id: null, status: "interrupted" });
  expect(tell("next", "interrupted")).toEqual({ task_id: "next", status: "interrupted" });
  await following.settled();
});

test("an event of another task, or of a task started again for a complete scan, changes nothing", async () => {
  const { store, log, start, ended } = await createBench();
  const { id, run_args } = await start();
  await ended(id);
  const events = new Emitter<TaskEvent>(log);
  const following = followScanTasks(events, store, log);
  const tell = (task: Partial<LiveTask>) =>
    events.emit({
      type: "updated",
      task: { task_type: "scan_task", run_args, ...task } as unknown as LiveTask,
    });
  const complete = store.scan("Vase", 1);
  for (const status of ["pending", "running", "interrupted"] as const) tell({ id, status });
  expect(store.scan("Vase", 1)).toBe(complete);

  await store.updateScan("Vase", 1, () => ({ status: "running" }));
  for (const status of ["pending", "running", "error"] as const)
    tell({ id: "rival", status, error: "not mine" });
  expect(store.scan("Vase", 1)).toMatchObject({ status: "running", task_id: id, system_message: null });
  tell({ id, status: "error", error: "jammed" });
  tell({ id: "rival", status: "running" });
  expect(store.scan("Vase", 1)).toMatchObject({ status: "error", task_id: id, system_message: "jammed" });
  tell({ id: "next", status: "pending" });
  expect(store.scan("Vase", 1)).toMatchObject({ status: "pending", task_id: "next", system_message: null });
  await following.settled();
});

test("events of tasks whose scan is gone, and of other tasks, disturb nobody", async () => {
  const { store, log } = await createBench();
  const events = new Emitter<TaskEvent>(log);
  const following = followScanTasks(events, store, log);
  const task = { id: "t", task_type: "scan_task", status: "running" } as unknown as LiveTask;
  for (const run_args of [
    [],
    [null],
    ["Vase"],
    [{ project_name: "Vase", index: 1 }],
    [{ project_name: 1, index: 1 }],
  ]) {
    events.emit({ type: "updated", task: { ...task, run_args } });
  }
  events.emit({ type: "deleted", id: "t" });
  await following.settled();
  expect(log.lines.filter(({ level }) => level === "error")).toEqual([]);
});
