import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { ScanSettings, type Task } from "@openscan/protocol";
import { describe, expect, test } from "vitest";
import { createBench, untilAborted } from "../tasks/testing.js";
import { projectOf, scanOf } from "./scans.js";

const order = (patch: Partial<ScanSettings> = {}) => ({
  settings: ScanSettings.parse({ points: 5, ...patch }),
  camera_name: "front",
  description: "first try",
});

/** A bench with a scan that has its first photo and hangs in the second capture until it is stopped. */
async function runningScan() {
  const bench = await createBench();
  const saved = new Promise((resolve) => bench.store.photos.on(resolve));
  const { id } = await bench.start();
  let captures = 0;
  await new Promise<void>((resolve) => {
    bench.device.before = (step, signal) => {
      if (step !== "capture" || ++captures !== 2) return;
      resolve();
      return untilAborted(signal);
    };
  });
  await saved;
  return { ...bench, id };
}

describe("start", () => {
  test.each([
    ["an unknown project", "Bowl", {}, "front", "not_found"],
    ["an unknown camera", "Vase", {}, "side", "not_found"],
    [
      "a format that the camera does not deliver",
      "Vase",
      { image_format: "dng" as const },
      "front",
      "bad_request",
    ],
    ["defect 25: a position out of reach", "Vase", { max_theta: 150 }, "front", "out_of_range"],
    ["defect 27: min_theta above max_theta", "Vase", { min_theta: 100, max_theta: 50 }, "front", "invalid"],
    ["defect 27: an unknown algorithm", "Vase", { optimization_algorithm: "magic" }, "front", "invalid"],
    ["defect 27: an endless pause", "Vase", { pause_before_capture_ms: 600_001 }, "front", "invalid"],
  ])("refused, nothing is stored: %s", async (_, project, patch, camera_name, code) => {
    const { device, scans, store, tasks, directory } = await createBench();
    const limits = device.rotor.settings.get();
    device.rotor.settings.get = () => ({ ...limits, max_angle: 140 });
    await store.create("Vase", null);
    await expect(scans.start(project, { ...order(patch), camera_name })).rejects.toMatchObject({ code });
    expect(tasks.list()).toEqual([]);
    expect(store.get("Vase").scans).toEqual({});
    expect(await readdir(join(directory, "Vase"))).toEqual(["openscan_project.json"]);
  });

  test("defect 44: knows its task from the beginning, and leaves no scan when there can be no task", async () => {
    const { scans, store, tasks, ended } = await createBench();
    await store.create("Vase", null);
    const task = await scans.start("Vase", order());
    expect(store.scan("Vase", 1)).toMatchObject({
      task_id: task.id,
      description: "first try",
      camera_name: "front",
    });
    expect(scans.task("Vase", 1)).toMatchObject({ id: task.id });
    await ended(task.id);
    await tasks.close();
    await expect(scans.start("Vase", order())).rejects.toMatchObject({ code: "offline" });
    expect(Object.keys(store.get("Vase").scans)).toEqual(["scan01"]);
  });
});

describe("control", () => {
  test("pause, resume and cancel act on the scan's task", async () => {
    const { scans, ended, id } = await runningScan();
    expect(scans.pause("Vase", 1)).toMatchObject({ id, status: "paused" });
    await expect(scans.resume("Vase", 1, "side")).rejects.toMatchObject({ code: "not_found" });
    expect(await scans.resume("Vase", 1, "front")).toMatchObject({ id, status: "running" });
    await expect(scans.resume("Vase", 1, "front")).rejects.toMatchObject({ code: "conflict" });
    expect(scans.cancel("Vase", 1)).toMatchObject({ id, status: "cancelled" });
    await ended(id);
    expect(await scans.resume("Vase", 1, "default")).toMatchObject({ id });
    expect(await ended(id)).toMatchObject({ status: "completed" });
    await expect(scans.resume("Vase", 1, "front")).rejects.toMatchObject({
      code: "conflict",
      message: 'scan 1 of project "Vase" is complete: there is nothing to resume',
    });
  });

  test("another camera than the scan's is a conflict", async () => {
    const { scans, device, ended, id } = await runningScan();
    scans.cancel("Vase", 1);
    await ended(id);
    const camera = device.camera;
    device.camera = () => camera("front");
    await expect(scans.resume("Vase", 1, "side")).rejects.toMatchObject({
      code: "conflict",
      message: 'scan 1 of project "Vase" was made with camera front, not side',
    });
  });

  test("a scan whose task is gone goes on with a new one", async () => {
    const { scans, tasks, store, ended, id } = await runningScan();
    scans.cancel("Vase", 1);
    await ended(id);
    await tasks.delete(id);
    expect(() => scans.task("Vase", 1)).toThrow(expect.objectContaining({ code: "not_found" }));
    expect(() => scans.pause("Vase", 1)).toThrow(expect.objectContaining({ code: "conflict" }));
    expect(() => scans.cancel("Vase", 1)).toThrow(expect.objectContaining({ code: "conflict" }));
    expect(() => scans.cancel("Vase", 2)).toThrow(expect.objectContaining({ code: "not_found" }));
    const next = await scans.resume("Vase", 1, "front");
    expect(next.id).not.toBe(id);
    expect(next.run_args[1]).toBe(1);
    expect(await ended(next.id)).toMatchObject({ status: "completed" });
    expect(store.scan("Vase", 1)).toMatchObject({ task_id: next.id, current_step: 5 });
  });
});

describe("defect 26: deletion", () => {
  test("a scan or project that a task works on stays", async () => {
    const { scans, store, directory, ended, id } = await runningScan();
    await expect(scans.deleteScan("Vase", 1)).rejects.toMatchObject({
      code: "conflict",
      message: `scan 1 of project "Vase" is in use: task ${id} is running; cancel it first`,
    });
    await expect(scans.deleteProject("Vase")).rejects.toMatchObject({ code: "conflict" });
    scans.pause("Vase", 1);
    await expect(scans.deleteScan("Vase", 1)).rejects.toMatchObject({ code: "conflict" });
    expect(store.scan("Vase", 1).photos).toHaveLength(1);
    expect(existsSync(join(directory, "Vase/scan01/scan.json"))).toBe(true);
    scans.cancel("Vase", 1);
    await ended(id);
    await scans.deleteScan("Vase", 1);
    expect(await readdir(join(directory, "Vase"))).not.toContain("scan01");
    await scans.deleteProject("Vase");
    expect(await readdir(directory)).toEqual([]);
  });

  test("a cancelled task that still unwinds does not bring the scan back", async () => {
    const { scans, directory, ended, id, store } = await runningScan();
    scans.cancel("Vase", 1);
    await scans.deleteScan("Vase", 1);
    expect(await ended(id)).toMatchObject({ status: "cancelled" });
    await store.close();
    expect(store.get("Vase").scans).toEqual({});
    expect((await readdir(join(directory, "Vase"))).sort()).toEqual([
      "openscan_project.json",
      "thumbnail.jpg",
    ]);
  });

  test("tasks of other projects and scans do not hinder it", async () => {
    const { scans, store } = await runningScan();
    await store.create("Vase 2", null);
    await scans.deleteProject("Vase 2");
    await store.createScan("Vase", { ...order(), camera_settings: store.scan("Vase", 1).camera_settings });
    await scans.deleteScan("Vase", 2);
    expect(Object.keys(store.get("Vase").scans)).toEqual(["scan01"]);
    expect(Object.keys(store.list())).toEqual(["Vase"]);
  });
});

test.each([
  [[{ project_name: "Cafe\u0301", index: 2 }, 0], { project: "Café", index: 2 }, "Café"],
  [["Vase", 3], { project: "Vase", index: 3 }, "Vase"],
  [["Vase"], undefined, "Vase"],
  [[7], undefined, undefined],
  [[null], undefined, undefined],
  [[], undefined, undefined],
])("a task's arguments %j name scan %j", (run_args, scan, project) => {
  const task = { run_args } as unknown as Task;
  expect(scanOf(task)).toEqual(scan);
  expect(projectOf(task)).toBe(project);
});
