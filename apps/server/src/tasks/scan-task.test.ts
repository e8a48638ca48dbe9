import { mkdir, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { PhotoMetadata, type Scan, ScanError, ScanPath, type Task } from "@openscan/protocol";
import { settle } from "@openscan/runtime/testing";
import sharp from "sharp";
import { describe, expect, test } from "vitest";
import { type NewPhoto } from "../projects/scan-folder.js";
import { ProjectStore } from "../projects/project-store.js";
import { createBench, type Step, temporaryFolder, untilAborted } from "./testing.js";

const json = async (path: string): Promise<unknown> => JSON.parse(await readFile(path, "utf8"));
const storedScan = async (directory: string) =>
  (await json(join(directory, "Vase/scan01/scan.json"))) as Scan;
const moves = (done: readonly string[]) => done.filter((entry) => entry.startsWith("move "));

/** Calls `then` at the n-th time that the step is about to happen. */
function atThe(n: number, step: Step, then: (signal: AbortSignal | undefined) => Promise<void> | void) {
  let count = 0;
  return async (current: Step, signal: AbortSignal | undefined) => {
    if (current === step && ++count === n) await then(signal);
  };
}

describe("a whole scan", () => {
  test("photographs every position and leaves the files of the older backend's layout", async () => {
    const { directory, device, start, ended, store, events } = await createBench();
    const task = await start();
    expect(task.run_args).toEqual([
      {
        project_name: "Vase",
        index: 1,
        settings: expect.objectContaining({ points: 5 }),
        camera_name: "front",
        camera_settings: device.cameraSettings,
        description: null,
      },
      0,
    ]);

    const end = await ended(task.id);
    expect(end).toMatchObject({ status: "completed", progress: { current: 5, total: 5 } });
    expect(end.result).toBe("Scan 1 completed: 5 positions photographed.");
    const scan = store.scan("Vase", 1);
    expect(scan).toMatchObject({
      status: "completed",
      current_step: 5,
      task_id: task.id,
      system_message: null,
    });
    expect(scan.duration).toBeCloseTo(5 * 0.25, 9);

    const path = ScanPath.parse(await json(join(directory, "Vase/scan01/path.json")));
    expect(path.points.map((point) => point.execution_step)).toEqual([0, 1, 2, 3, 4]);
    expect(path.points.every((point) => point.polar.r === 110)).toBe(true);
    const inOrder = path.points.map((point) => `scan01_00${point.original_step}`);
    expect(scan.photos).toEqual(inOrder.map((name) => `${name}.jpg`));
    expect((await readdir(join(directory, "Vase/scan01"))).sort()).toEqual(
      ["metadata", "path.json", "poses.json", "scan.json", ...scan.photos].sort(),
    );
    expect((await readdir(join(directory, "Vase/scan01/metadata"))).sort()).toEqual(
      inOrder.map((name) => `${name}.json`).sort(),
    );
    expect(moves(device.done)).toEqual([
      ...path.points.map(({ polar }) => `move ${polar.theta}/${polar.fi}`),
      "move 90/90",
    ]);
    const currents = events
      .filter((event) => event.status === "running")
      .map((event) => event.progress.current);
    expect(currents).toEqual([...currents].sort((a, b) => a - b));
    expect(await readdir(join(directory, "Vase"))).toContain("thumbnail.jpg");
    expect(await sharp(join(directory, "Vase/thumbnail.jpg")).metadata()).toMatchObject({
      width: 512,
      height: 384,
    });
  });

  test("progress never claims a position whose photo is not on the disk", async () => {
    const { directory, start, ended, tasks, store } = await createBench();
    const problems: string[] = [];
    const checks: Promise<void>[] = [];
    tasks.events.on((event) => {
      if (event.type !== "updated") return;
      const { current } = event.task.progress;
      const listed = store.scan("Vase", 1).photos.slice(0, current);
      if (listed.length < current) problems.push(`${current} claimed, ${listed.length} listed`);
      checks.push(
        ...listed.map(async (file) => {
          if ((await readFile(join(directory, "Vase/scan01", file))).length === 0)
            problems.push(`${file} is empty`);
        }),
      );
    });
    await ended((await start()).id);
    await Promise.all(checks);
    expect(problems).toEqual([]);
    expect(checks.length).toBeGreaterThanOrEqual(5);
  });

  test("viewers who keep the camera busy delay a capture, no more", async () => {
    const { device, start, ended } = await createBench();
    let refusals = 3;
    device.before = (step) => {
      if (step !== "capture" || refusals-- <= 0) return;
      void device.clock.advance(100);
      throw new ScanError("busy", "camera front: too many wait");
    };
    expect(await ended((await start()).id)).toMatchObject({ status: "completed", progress: { current: 5 } });
    expect(refusals).toBeLessThan(0);
  });

  test("defect 25: metadata tells the planned position and the one that the motors reached", async () => {
    const { directory, device, start, ended } = await createBench();
    device.slipDeg = 0.25;
    await ended((await start({ points: 1, min_theta: 90, max_theta: 90, min_phi: 30, max_phi: 30 })).id);
    const metadata = PhotoMetadata.parse(await json(join(directory, "Vase/scan01/metadata/scan01_000.json")));
    expect(metadata.scan_metadata).toMatchObject({
      step: 0,
      polar_coordinates: { theta: expect.closeTo(90, 9), fi: 30, r: 110 },
      project_name: "Vase",
      scan_index: 1,
      stack_index: null,
    });
    expect(metadata.camera_metadata).toMatchObject({
      camera_name: "front",
      camera_settings: device.cameraSettings,
    });
    expect(metadata.camera_metadata.raw_metadata).toEqual({
      ISO: 100,
      actual_position: { theta: expect.closeTo(89.75, 9), fi: 30.25 },
    });
  });

  test("a bound that is null is none, and left out of files and replies as ever", async () => {
    const { start, ended, store, directory } = await createBench();
    const task = await start({ points: 3, min_phi: null, max_phi: null });
    expect(await ended(task.id)).toMatchObject({ status: "completed", progress: { total: 3 } });
    const shown = [store.scan("Vase", 1), task.run_args[0] as Scan, await storedScan(directory)];
    for (const { settings } of shown) {
      expect(settings).toMatchObject({ points: 3, min_theta: 12 });
      expect(Object.keys(settings)).not.toContain("min_phi");
      expect(Object.keys(settings)).not.toContain("max_phi");
    }
  });

  test("points on the same spot are one position", async () => {
    const { start, ended, store } = await createBench();
    const end = await ended(
      (await start({ points: 7, min_theta: 70, max_theta: 70, min_phi: 5, max_phi: 5 })).id,
    );
    expect(end.progress).toMatchObject({ current: 1, total: 1 });
    expect(store.scan("Vase", 1).photos).toEqual(["scan01_000.jpg"]);
  });

  test("waits before each photo as long as asked for, and a cancel ends the wait", async () => {
    const { device, clock, start, ended, tasks, store } = await createBench();
    device.moveMs = 0;
    const { id } = await start({ points: 2, pause_before_capture_ms: 700 });
    const waiting = async () => {
      while (clock.pending === 0) await settle();
    };
    await waiting();
    await clock.advance(699);
    expect(device.done).not.toContain("capture");
    await clock.advance(1);
    await waiting();
    expect(device.done.filter((entry) => entry === "capture")).toHaveLength(1);
    tasks.cancel(id);
    expect(await ended(id)).toMatchObject({ status: "cancelled" });
    expect(clock.pending).toBe(0);
    expect(store.scan("Vase", 1).photos).toHaveLength(1);
  });

  test("a thumbnail that cannot be made is logged and no reason to fail", async () => {
    const { device, start, ended, log } = await createBench();
    device.before = (step) => {
      if (step === "preview") throw new Error("no preview");
    };
    expect(await ended((await start()).id)).toMatchObject({ status: "completed" });
    expect(log.lines).toContainEqual(
      expect.objectContaining({ level: "error", message: "the project has no thumbnail" }),
    );
  });
});

describe("focus stacking", () => {
  const settings = { points: 2, focus_stacks: 3, focus_range: [10, 14] as [number, number] };

  test("photographs each focus position and gives the focus back as it was", async () => {
    const { device, start, ended, store, directory } = await createBench();
    await ended((await start(settings)).id);
    const stack = ["manual_focus 10", "capture", "manual_focus 12", "capture", "manual_focus 14", "capture"];
    expect(device.done.filter((entry) => !entry.startsWith("move"))).toEqual([
      "AF false",
      ...stack,
      ...stack,
      "AF true",
      "manual_focus 12",
    ]);
    expect([...store.scan("Vase", 1).photos].sort()).toEqual(
      ["000_fs00", "000_fs01", "000_fs02", "001_fs00", "001_fs01", "001_fs02"].map(
        (name) => `scan01_${name}.jpg`,
      ),
    );
    const metadata = PhotoMetadata.parse(
      await json(join(directory, "Vase/scan01/metadata/scan01_001_fs02.json")),
    );
    expect(metadata.scan_metadata?.stack_index).toBe(2);
    expect(metadata.camera_metadata.camera_settings).toMatchObject({ AF: false, manual_focus: 14 });
  });

  test("a position counts only with all its photos, and a resume takes those again that lack some", async () => {
    const { device, start, ended, store, tasks } = await createBench();
    const { id } = await start(settings);
    device.before = atThe(5, "capture", () => void tasks.cancel(id));
    expect(await ended(id)).toMatchObject({ status: "cancelled" });
    const first = store.scan("Vase", 1);
    expect(first).toMatchObject({ status: "cancelled", current_step: 1 });
    expect(first.photos).toHaveLength(4);

    device.before = () => {};
    tasks.restart(id);
    expect(await ended(id)).toMatchObject({ status: "completed", progress: { current: 2, total: 2 } });
    const { photos } = store.scan("Vase", 1);
    expect(photos).toHaveLength(6);
    expect(new Set(photos).size).toBe(6);
    expect(device.done.filter((entry) => entry === "capture")).toHaveLength(7);
  });

  test("defect 24: the focus is given back although the motors fail to return to rest", async () => {
    const { device, start, ended, log } = await createBench();
    device.before = atThe(3, "move", () => {
      throw new Error("motor jammed");
    });
    expect(await ended((await start(settings)).id)).toMatchObject({ status: "completed" });
    expect(device.cameraSettings).toMatchObject({ AF: true, manual_focus: 12 });
    expect(log.lines).toContainEqual(
      expect.objectContaining({ level: "error", message: "the scanner did not return to rest" }),
    );
  });
});

describe("stopping and going on", () => {
  test("defect 24: a cancel during a move stops it before the way to rest begins", async () => {
    const { device, start, ended, tasks } = await createBench();
    const { id } = await start();
    device.before = atThe(2, "move", async (signal) => {
      queueMicrotask(() => tasks.cancel(id));
      await untilAborted(signal);
    });
    expect(await ended(id)).toMatchObject({
      status: "cancelled",
      error: expect.stringContaining("cancelled"),
    });
    expect(moves(device.done)).toHaveLength(2);
    expect(moves(device.done)[1]).toBe("move 90/90");
  });

  test("defect 7: a resume from elsewhere neither skips nor repeats a position", async () => {
    const { device, start, ended, tasks, store, directory } = await createBench();
    const { id } = await start({ points: 30 });
    device.before = atThe(14, "capture", () => void tasks.cancel(id));
    await ended(id);
    const before = await json(join(directory, "Vase/scan01/path.json"));
    expect(store.scan("Vase", 1)).toMatchObject({ status: "cancelled", current_step: 13 });

    device.before = () => {};
    device.turntable.angle = 0;
    device.rotor.angle = 20;
    tasks.restart(id);
    await ended(id);
    expect(await json(join(directory, "Vase/scan01/path.json"))).toEqual(before);
    const order = ScanPath.parse(before).points.map(({ original_step }) => original_step);
    expect(store.scan("Vase", 1).photos).toEqual(
      order.map((step) => `scan01_${String(step).padStart(3, "0")}.jpg`),
    );
    expect(device.done.filter((entry) => entry === "capture")).toHaveLength(30);
  });

  test("a resume fills the gaps that deleted photos left", async () => {
    const { device, start, ended, tasks, store } = await createBench();
    const { id } = await start();
    device.before = atThe(4, "capture", () => void tasks.cancel(id));
    await ended(id);
    const [, second = ""] = store.scan("Vase", 1).photos;
    expect(await store.deletePhotos("Vase", 1, [second], () => {})).toMatchObject({ current_step: 1 });
    device.before = () => {};
    tasks.restart(id);
    expect(await ended(id)).toMatchObject({ status: "completed", progress: { current: 5, total: 5 } });
    expect(new Set(store.scan("Vase", 1).photos).size).toBe(5);
    expect(device.done.filter((entry) => entry === "capture")).toHaveLength(6);
  });

  test("defect 9: a shutdown leaves the motors where they are; resuming the task goes on in the next process", async () => {
    const bench = await createBench();
    const { id } = await bench.start();
    let closing: Promise<void> | undefined;
    bench.device.before = atThe(3, "move", () => {
      closing = bench.tasks.close();
    });
    await bench.tasks.ended(id);
    await closing;
    await bench.following.settled();
    expect(moves(bench.device.done)).toHaveLength(2);
    expect(await storedScan(bench.directory)).toMatchObject({ status: "interrupted", task_id: id });

    const { tasks, store, device, ended } = await bench.restarted();
    expect(tasks.get(id)).toMatchObject({ status: "interrupted" });
    expect(tasks.resume(id)).toMatchObject({ id, status: "running" });
    expect(await ended(id)).toMatchObject({ status: "completed", progress: { current: 5, total: 5 } });
    expect(store.scan("Vase", 1)).toMatchObject({ status: "completed", task_id: id });
    expect(device.done.filter((entry) => entry === "capture")).toHaveLength(3);
  });

  test("a pause lets the step end, then nothing moves", async () => {
    const { device, start, tasks, seen, ended } = await createBench();
    const { id } = await start();
    let paused: Task | undefined;
    device.before = atThe(2, "capture", () => {
      paused = tasks.pause(id);
    });
    await seen((task) => task.status === "paused");
    expect(paused).toMatchObject({ status: "paused" });
    for (let turn = 0; turn < 50; turn++) await settle();
    const captures = device.done.filter((entry) => entry === "capture").length;
    expect(captures).toBe(2);
    tasks.resume(id);
    expect(await ended(id)).toMatchObject({ status: "completed" });
  });
});

describe("what happens between a move and its photo", () => {
  test.each([
    ["turned by hand in a pause, motors are brought back", 42],
    ["motors that nobody turned are not moved again", null],
  ] as const)("%s", async (_, turnedTo) => {
    const { device, start, tasks, seen, ended, directory, store } = await createBench();
    const { id } = await start({ points: 3, optimize_path: false });
    device.before = atThe(2, "move", () => void tasks.pause(id));
    await seen((task) => task.status === "paused");
    while (moves(device.done).length < 2) await settle();
    if (turnedTo !== null) device.turntable.angle = turnedTo;
    tasks.resume(id);
    expect(await ended(id)).toMatchObject({ status: "completed" });
    expect(moves(device.done)).toHaveLength(turnedTo === null ? 4 : 5);
    for (const photo of store.scan("Vase", 1).photos) {
      const file = join(directory, "Vase/scan01/metadata", photo.replace(".jpg", ".json"));
      const { scan_metadata, camera_metadata } = PhotoMetadata.parse(await json(file));
      const { theta, fi } = scan_metadata?.polar_coordinates ?? {};
      expect(camera_metadata.raw_metadata["actual_position"]).toEqual({ theta, fi });
    }
  });

  test("a photo during which somebody turned the motors is taken again", async () => {
    const { device, start, ended, store, log } = await createBench();
    device.before = atThe(2, "capture", () => {
      device.turntable.angle += 7;
      // The way back ends a step beside where the motors were before.
      device.slipDeg = 0.1;
    });
    expect(await ended((await start({ points: 3 })).id)).toMatchObject({ status: "completed" });
    expect(device.done.filter((entry) => entry === "capture")).toHaveLength(4);
    expect(store.scan("Vase", 1).photos).toHaveLength(3);
    expect(log.lines.filter(({ level }) => level === "warn")).toMatchObject([
      { message: "a photo is taken again: the motors were turned", fields: { project_name: "Vase" } },
    ]);
  });

  test("the device may not go idle until the photo has been taken, and may when the scan is paused", async () => {
    const { device, start, tasks, ended, clock } = await createBench();
    const awake: string[] = [];
    const { id } = await start({ points: 2, pause_before_capture_ms: 500 });
    device.before = (step) => {
      if (step === "capture" && awake.length === 0) tasks.pause(id);
      if (step === "capture") awake.push(`capture ${device.awake}`);
    };
    while (clock.pending === 0) await settle();
    expect(device.awake).toBe(1);
    await clock.advance(500);
    while (tasks.get(id)?.status !== "paused") await settle();
    for (let turn = 0; turn < 50; turn++) await settle();
    expect(device.awake).toBe(0);
    tasks.resume(id);
    while (tasks.get(id)?.status !== "completed") await clock.advance(500);
    await ended(id);
    expect(device.awake).toBe(0);
    expect(awake).toEqual(["capture 1", "capture 1"]);
  });

  test("a device that fell asleep in a pause is made ready again before the photo", async () => {
    const { device, start, tasks, seen, ended } = await createBench();
    const steps: Step[] = [];
    const { id } = await start({ points: 2 });
    device.before = (step) => {
      if (step === "move" && !steps.includes("move")) tasks.pause(id);
      steps.push(step);
    };
    await seen((task) => task.status === "paused");
    tasks.resume(id);
    await ended(id);
    expect(steps.join(" ")).toMatch(/move prepare capture move prepare capture move$/);
  });
});

describe("what a scan takes", () => {
  const seconds = (steps: readonly (readonly [string, number])[], phase: string) =>
    steps.filter(([name]) => name === phase).map(([, seconds]) => seconds);

  test("each position is one move and one step, each photo one capture and one store", async () => {
    const { device, steps, start, ended } = await createBench();
    device.before = async (step) => {
      if (step === "capture") await device.clock.advance(40);
    };
    await ended((await start({ points: 2, focus_stacks: 3 })).id);
    expect(seconds(steps, "move")).toEqual([0.25, 0.25]);
    expect(seconds(steps, "capture")).toEqual(Array<unknown>(6).fill(expect.closeTo(0.04, 9)));
    expect(seconds(steps, "store")).toHaveLength(6);
    expect(seconds(steps, "step")).toEqual([expect.closeTo(0.37, 9), expect.closeTo(0.37, 9)]);
  });

  test("what fails took no time, and neither did a pause", async () => {
    const { device, clock, steps, start, seen, tasks, ended } = await createBench();
    const { id } = await start({ points: 3 });
    device.before = atThe(1, "move", () => void tasks.pause(id));
    await seen((task) => task.status === "paused");
    while (seconds(steps, "move").length === 0) await settle();
    await clock.advance(60_000);
    device.before = atThe(2, "capture", () => {
      throw new ScanError("hardware_fault", "the lens cap is on");
    });
    tasks.resume(id);
    expect(await ended(id)).toMatchObject({ status: "error" });
    expect(seconds(steps, "move")).toEqual([0.25, 0.25]);
    expect(seconds(steps, "capture")).toEqual([0]);
    expect(seconds(steps, "step")).toEqual([0.25]);
  });
});

describe("photos and the disk", () => {
  test("photos that were removed by hand end the scan with an error, and a resume takes them again", async () => {
    const { device, start, ended, store, tasks, directory } = await createBench();
    const { id } = await start();
    const lost: string[] = [];
    device.before = atThe(5, "capture", async () => {
      lost.push(...store.scan("Vase", 1).photos.slice(0, 2));
      for (const file of lost) await rm(join(directory, "Vase/scan01", file));
    });
    expect(await ended(id)).toMatchObject({
      status: "error",
      error: expect.stringContaining(lost.join(", ")),
    });
    expect(lost).toHaveLength(2);
    expect(store.scan("Vase", 1)).toMatchObject({ status: "error", current_step: 0 });
    expect(store.scan("Vase", 1).photos).toHaveLength(3);
    device.before = () => {};
    tasks.restart(id);
    expect(await ended(id)).toMatchObject({ status: "completed", progress: { current: 5, total: 5 } });
    const { photos } = store.scan("Vase", 1);
    expect(new Set(photos).size).toBe(5);
    for (const file of photos)
      expect((await stat(join(directory, "Vase/scan01", file))).size).toBeGreaterThan(0);
  });

  test("a scan whose project was moved away by hand ends with an error and makes no new one", async () => {
    const { device, start, ended, directory } = await createBench();
    const { id } = await start();
    const elsewhere = await temporaryFolder();
    device.before = atThe(2, "capture", () => rename(join(directory, "Vase"), join(elsewhere, "Vase")));
    expect(await ended(id)).toMatchObject({ status: "error", error: expect.stringContaining("scan01") });
    expect(await readdir(directory)).toEqual([]);
    await rename(join(elsewhere, "Vase"), join(directory, "Vase"));
  });

  class SlowStore extends ProjectStore {
    readonly waiting: (() => void)[] = [];
    saved = 0;
    override async savePhoto(project: string, index: number, photo: NewPhoto): Promise<Scan> {
      await new Promise<void>((resolve) => this.waiting.push(resolve));
      const scan = await super.savePhoto(project, index, photo);
      this.saved++;
      return scan;
    }
  }

  test("defect 16: a slow disk holds the scan up instead of filling the memory, and the end waits for it", async () => {
    const { device, start, store, tasks, ended } = await createBench({ Store: SlowStore });
    const slow = store as SlowStore;
    const { id } = await start();
    let most = 0;
    while (tasks.get(id)?.status !== "completed") {
      for (let turn = 0; turn < 20; turn++) await settle();
      const captured = device.done.filter((entry) => entry === "capture").length;
      most = Math.max(most, captured - slow.saved);
      expect(tasks.get(id)?.progress.current).toBeLessThanOrEqual(slow.saved);
      slow.waiting.shift()?.();
    }
    expect(most).toBe(3);
    await ended(id);
    expect(store.scan("Vase", 1).photos).toHaveLength(5);
  });

  test("defect 16: a cancelled task ends when its last photo has been saved, and counts it", async () => {
    const { device, start, store, tasks } = await createBench({ Store: SlowStore });
    const slow = store as SlowStore;
    const { id } = await start();
    device.before = atThe(2, "capture", () => void tasks.cancel(id));
    let hasEnded = false;
    const end = tasks.ended(id).then(() => {
      hasEnded = true;
    });
    while (slow.waiting.length === 0 || tasks.get(id)?.status !== "cancelled") await settle();
    for (let turn = 0; turn < 20; turn++) await settle();
    expect(hasEnded).toBe(false);
    slow.waiting.shift()?.();
    await end;
    expect(slow.saved).toBe(1);
    expect(store.scan("Vase", 1)).toMatchObject({ status: "cancelled", current_step: 1 });
  });

  test("defect 16: not even the last photo may be missing from a completed scan", async () => {
    const { directory, device, start, ended } = await createBench();
    const { id } = await start({ optimize_path: false });
    device.before = atThe(1, "capture", async () => {
      await mkdir(join(directory, "Vase/scan01/scan01_004.jpg"));
    });
    expect(await ended(id)).toMatchObject({
      status: "error",
      error: expect.stringContaining("scan01_004.jpg"),
    });
  });

  test("defect 16: a photo that cannot be written fails the scan with the reason", async () => {
    const { directory, device, start, ended, store } = await createBench();
    const { id } = await start({ optimize_path: false });
    device.before = atThe(1, "capture", async () => {
      await mkdir(join(directory, "Vase/scan01/scan01_001.jpg"));
    });
    const end = await ended(id);
    expect(end).toMatchObject({ status: "error" });
    expect(end.error).toMatch(/scan01_001\.jpg could not be written: EISDIR/);
    expect(store.scan("Vase", 1)).toMatchObject({
      status: "error",
      system_message: end.error,
      current_step: 1,
    });
    expect(moves(device.done).at(-1)).toBe("move 90/90");
  });
});

describe("what is refused", () => {
  test("defect 36: a scan task for a scan that is not stored", async () => {
    const { tasks, store } = await createBench();
    await store.create("Vase", null);
    const forged = { project_name: "Vase", index: 3, settings: {}, camera_name: "front" };
    await expect(tasks.create("scan_task", [forged, 0])).rejects.toMatchObject({ code: "not_found" });
    await expect(tasks.create("scan_task", [], { scan: forged })).rejects.toMatchObject({
      code: "not_found",
    });
    await expect(tasks.create("scan_task", ["Vase"])).rejects.toMatchObject({ code: "invalid" });
    expect(tasks.list()).toEqual([]);
  });

  test("a second task for a scan that another one works on or has completed", async () => {
    const { start, tasks, ended, store } = await createBench();
    const { id, run_args } = await start();
    const rival = await tasks.create("scan_task", run_args);
    expect(await ended(id)).toMatchObject({ status: "completed" });
    expect(await ended(rival.id)).toMatchObject({
      status: "error",
      error: `scan 1 is completed and belongs to task ${id}`,
    });
    expect(store.scan("Vase", 1)).toMatchObject({ status: "completed", task_id: id, system_message: null });
  });

  test("defect 25: a limit that shrank after the start fails the scan before anything moves", async () => {
    const { device, start, ended, tasks, store } = await createBench();
    const { id } = await start();
    device.before = atThe(1, "capture", () => void tasks.cancel(id));
    await ended(id);
    device.done.length = 0;
    const settings = device.rotor.settings.get();
    device.rotor.settings.get = () => ({ ...settings, max_angle: 120 });
    tasks.restart(id);
    const end = await ended(id);
    expect(end.error).toMatch(/^position 1 of 5: rotor cannot be at 125(\.0+\d)? degrees$/);
    expect(store.scan("Vase", 1)).toMatchObject({ status: "error", system_message: end.error });
    expect(device.done).toEqual([]);
  });
});
