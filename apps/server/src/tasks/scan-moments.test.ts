import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Scan, ScanPath, type Task } from "@openscan/protocol";
import { settle } from "@openscan/runtime/testing";
import { describe, expect, test } from "vitest";
import { createBench, type Step, untilAborted } from "./testing.js";

type Bench = Awaited<ReturnType<typeof createBench>>;

/** Resolves when the device is about to do this for the n-th time, which then takes until it is aborted. */
function reached({ device }: Bench, step: Step, n: number): Promise<void> {
  let count = 0;
  return new Promise((resolve) => {
    device.before = (current, signal) => {
      if (current !== step || ++count !== n) return;
      resolve();
      return untilAborted(signal);
    };
  });
}

/** Brings a scan of five positions into a phase of its life; resolves with its task. */
type Phase = (bench: Bench, start: () => Promise<Task>) => Promise<Task>;

const during =
  (step: Step, n: number): Phase =>
  async (bench, start) => {
    const there = reached(bench, step, n);
    const task = await start();
    await there;
    return task;
  };

const phases: Readonly<Record<string, Phase>> = {
  "the motors are calibrated": during("prepare", 1),
  "the thumbnail is made": during("preview", 1),
  "the motors move": during("move", 3),
  "the device is made ready for a photo": during("prepare", 3),
  "a photo is taken": during("capture", 3),
  "the first photo is taken": during("capture", 1),
  "the last photo is taken": during("capture", 5),
  "it waits before a photo": async ({ clock }, start) => {
    const task = await start();
    while (clock.pending === 0) await settle();
    return task;
  },
  "it is paused": async ({ device, tasks }, start) => {
    const task = await start();
    let captures = 0;
    device.before = (step) => {
      if (step === "capture" && ++captures === 2) tasks.pause(task.id);
    };
    while (tasks.get(task.id)?.status !== "paused") await settle();
    for (let turn = 0; turn < 50; turn++) await settle();
    return task;
  },
  "it has just been created": (_, start) => start(),
  "it is queued": async (bench, start) => {
    const there = reached(bench, "capture", 1);
    const first = await bench.start({ points: 2 });
    await there;
    const task = await start();
    expect(task.status).toBe("pending");
    queueMicrotask(() => bench.tasks.cancel(first.id));
    return task;
  },
};

describe("cancelled while", () => {
  test.each(Object.keys(phases))(
    "%s: it ends, frees the scanner, and can be resumed to its end",
    async (name) => {
      const bench = await createBench();
      const { device, tasks, store, scans, ended, start, clock } = bench;
      const pauseMs = name === "it waits before a photo" ? 500 : 0;
      const task = await (phases[name] as Phase)(bench, () =>
        start({ points: 5, pause_before_capture_ms: pauseMs }),
      );
      const { index } = task.run_args[0] as Scan;
      expect(scans.cancel("Vase", index)).toMatchObject({ status: "cancelled" });
      const end = await ended(task.id);
      expect(end).toMatchObject({ status: "cancelled", error: "Task cancelled by user." });
      expect(end.completed_at).not.toBeNull();
      const stopped = store.scan("Vase", index);
      expect(stopped).toMatchObject({ status: "cancelled", task_id: task.id, system_message: null });
      expect(device.awake).toBe(0);
      expect(clock.pending).toBe(0);

      device.before = () => {};
      const resumed = await scans.resume("Vase", index, "front");
      while (tasks.get(resumed.id)?.completed_at === null) await clock.advance(500);
      expect(await ended(resumed.id)).toMatchObject({
        status: "completed",
        progress: { current: 5, total: 5 },
      });
      const { photos, status } = store.scan("Vase", index);
      expect({ status, photos: photos.length, different: new Set(photos).size }).toEqual({
        status: "completed",
        photos: 5,
        different: 5,
      });
      expect(device.done.at(-1)).toBe("move 90/90");
    },
  );

  test("it drives home after its last photo: it is home when it ends, and nothing is left to do", async () => {
    const bench = await createBench();
    const { device, tasks, store, scans, ended, start } = bench;
    const { id } = await start();
    let moves = 0;
    device.before = (step) => {
      if (step === "move" && ++moves === 6) tasks.cancel(id);
    };
    expect(await ended(id)).toMatchObject({ status: "cancelled" });
    expect(device.done.at(-1)).toBe("move 90/90");
    expect(store.scan("Vase", 1)).toMatchObject({ status: "cancelled", current_step: 5 });
    const captures = device.done.filter((entry) => entry === "capture").length;
    await scans.resume("Vase", 1, "front");
    expect(await ended(id)).toMatchObject({ status: "completed" });
    expect(device.done.filter((entry) => entry === "capture")).toHaveLength(captures);
  });
});

test("two scans that are started at once are made one after the other, whole and apart", async () => {
  const { device, start, ended, store, events } = await createBench();
  await store.create("Vase", null);
  const both = await Promise.all([start(), start()]);
  expect(both.map(({ status }) => status).sort()).toEqual(["pending", "running"]);
  for (const { id } of both) expect(await ended(id)).toMatchObject({ status: "completed" });
  for (const index of [1, 2]) expect(store.scan("Vase", index).photos).toHaveLength(5);
  const running = events.filter(({ progress }) => progress.total > 0).map(({ id }) => id);
  expect(running.filter((id, place) => id !== running[place - 1])).toHaveLength(2);
  expect(device.done.filter((entry) => entry === "move 90/90")).toHaveLength(2);
});

describe("defect 40: a wall clock that is set in the middle of a scan", () => {
  const hour = 3_600_000;
  test.each([
    ["back", -6 * hour],
    ["forward", 30 * hour],
  ])("%s changes neither durations nor the order of anything", async (_, jumpMs) => {
    const { device, clock, start, ended, store, directory, events, steps, tasks } = await createBench();
    const wall = clock.now.bind(clock);
    let offset = 0;
    clock.now = () => wall() + offset;
    let captures = 0;
    device.before = (step) => {
      if (step === "capture" && ++captures === 3) offset = jumpMs;
    };
    const first = await start();
    expect(await ended(first.id)).toMatchObject({ status: "completed" });
    const scan = store.scan("Vase", 1);
    expect(scan.duration).toBeCloseTo(5 * 0.25, 9);
    const path = ScanPath.parse(JSON.parse(await readFile(join(directory, "Vase/scan01/path.json"), "utf8")));
    expect(scan.photos).toEqual(path.points.map((point) => `scan01_00${point.original_step}.jpg`));
    expect(steps.filter(([phase]) => phase === "move").map(([, seconds]) => seconds)).toEqual(
      Array<number>(5).fill(0.25),
    );
    const revisions = events.map(({ progress }) => progress.current);
    expect(revisions).toEqual(revisions.toSorted((a, b) => a - b));
    expect(Date.parse(scan.last_updated) - Date.parse(scan.created)).toBeCloseTo(jumpMs + 1250, -1);

    const second = await start();
    await ended(second.id);
    expect(tasks.list().map(({ id }) => id)).toEqual([first.id, second.id]);
    expect(Object.keys(store.get("Vase").scans)).toEqual(["scan01", "scan02"]);
  });
});
