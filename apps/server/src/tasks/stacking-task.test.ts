import { mkdir, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CameraSettings, PhotoMetadata, ScanSettings, type Task } from "@openscan/protocol";
import { FakeClock, recordingLogger } from "@openscan/runtime/testing";
import { TaskManager } from "@openscan/tasks";
import { MemoryTaskStore } from "@openscan/tasks/testing";
import { describe, expect, onTestFinished, test } from "vitest";
import { type AffineRows, identity, toRows } from "../imaging/affine.js";
import { UnusablePhotos } from "../imaging/stacking-thread.js";
import { photoName } from "../projects/layout.js";
import { ProjectStore } from "../projects/project-store.js";
import { requireStackable, Stackings } from "../projects/stackings.js";
import { followScanTasks } from "./scan-status.js";
import { stackingTask } from "./stacking-task.js";
import { folderSize, temporaryFolder, untilAborted } from "./testing.js";

const rows = toRows(identity);
const shifted = (c: number): AffineRows => [
  [1, 0, c],
  [0, 1, 0],
];

/** The contract of the thread without pictures: answers at once, with what it was asked as the photo. */
class FakeThread {
  readonly asked: string[] = [];
  /** Called before each stack. */
  before: (name: string, signal: AbortSignal) => Promise<void> | void = () => {};
  transforms: (stack: number) => readonly (AffineRows | null)[] = () => [rows, rows, rows];
  closed = 0;
  #aligned = 0;

  /** From now on a stack waits until it is aborted. Resolves when it is its turn. */
  holdUpAt(stack: string): Promise<void> {
    return new Promise((resolve) => {
      this.before = (name, signal) => {
        if (name !== stack) return undefined;
        resolve();
        return untilAborted(signal);
      };
    });
  }

  async align(files: readonly string[], signal: AbortSignal) {
    signal.throwIfAborted();
    this.asked.push(`align ${nameOf(files)}`);
    return this.transforms(this.#aligned++);
  }

  async stack(files: readonly string[], transforms: readonly AffineRows[], signal: AbortSignal) {
    await this.before(nameOf(files), signal);
    signal.throwIfAborted();
    this.asked.push(`stack ${nameOf(files)}`);
    return new TextEncoder().encode(`${nameOf(files)} ${JSON.stringify(transforms)}`);
  }

  async close() {
    this.closed++;
  }
}

const nameOf = ([first = ""]: readonly string[]) => /_(\d+)_fs/.exec(first)?.[1] ?? "";

async function createBench({
  directory = "",
  records = new MemoryTaskStore(),
  positions = 4,
}: {
  directory?: string;
  records?: MemoryTaskStore;
  positions?: number;
} = {}) {
  const folder = directory || (await temporaryFolder());
  const clock = new FakeClock(Date.now());
  const log = recordingLogger();
  const store = new ProjectStore({ directory: folder, clock, log });
  await store.load();
  const thread = new FakeThread();
  let ids = records.files.size;
  const tasks: TaskManager = new TaskManager({
    types: [
      stackingTask({
        store,
        requireStackable: (scan) => requireStackable(scan, tasks),
        createThread: () => thread,
      }),
    ],
    store: records,
    clock,
    log,
    newId: () => `task-${++ids}`,
  });
  const following = followScanTasks(tasks.events, store, log);
  await tasks.restore();
  const stackings = new Stackings({ store, tasks });
  onTestFinished(async () => {
    await tasks.close();
    await following.settled();
    await store.close();
  });
  const save = async (step: number, stacks: readonly number[]) => {
    for (const stack of stacks) {
      const file = photoName(1, { step, stack }, ".jpg");
      await store.savePhoto("Vase", 1, { file, bytes: Buffer.from(file), metadata, seconds: 0 });
    }
  };
  if (!directory) {
    await store.create("Vase", null);
    const settings = ScanSettings.parse({ points: positions, focus_stacks: 3 });
    const camera_settings = CameraSettings.parse({});
    await store.createScan("Vase", { settings, camera_name: "front", camera_settings, description: null });
    for (let step = 0; step < positions; step++) await save(step, [0, 1, 2]);
  }
  const ended = async (task: Task): Promise<Task> => {
    const end = await tasks.ended(task.id);
    await following.settled();
    return end;
  };
  return {
    folder,
    records,
    store,
    thread,
    tasks,
    following,
    stackings,
    save,
    ended,
    log,
    scan: () => store.scan("Vase", 1),
    scanFolder: join(folder, "Vase", "scan01"),
    start: () => stackings.start("Vase", 1),
    restarted: () => createBench({ directory: folder, records }),
  };
}

const metadata = PhotoMetadata.parse({
  format: "jpeg",
  camera_metadata: { camera_name: "front", camera_settings: CameraSettings.parse({}), raw_metadata: {} },
  scan_metadata: null,
});

test("each stack becomes one photo: listed, counted, in the known places, paths relative to the scan", async () => {
  const { start, ended, scan, scanFolder, thread } = await createBench();
  const task = await ended(await start());
  expect(task).toMatchObject({
    status: "completed",
    is_exclusive: false,
    is_blocking: false,
    run_args: ["Vase", 1],
    progress: { current: 4, total: 4, message: "4 of 4 positions stacked" },
    result: {
      output_directory: "stacked",
      stacked_image_count: 4,
      output_paths: [0, 1, 2, 3].map((step) => `stacked/stacked_scan01_00${step}.jpg`),
      calibration_path: "stacked/calibration_scan01.json",
      skipped: [],
    },
  });
  expect(scan().stacking_task_status).toEqual({ task_id: task.id, status: "completed" });
  expect(scan().photos.filter((photo) => photo.startsWith("stacked/"))).toHaveLength(4);
  expect(JSON.parse(await readFile(join(scanFolder, "stacked/calibration_scan01.json"), "utf8"))).toEqual({
    project: "Vase",
    scan_index: 1,
    transforms: [rows, rows, rows],
  });
  expect(scan().total_size_bytes).toBe(await folderSize(scanFolder));
  const jpegs = (await readdir(join(scanFolder, "stacked"))).filter((name) => name.endsWith(".jpg"));
  const sizes = await Promise.all(
    jpegs.map(async (name) => (await readFile(join(scanFolder, "stacked", name))).length),
  );
  expect(scan().stacked_size_bytes).toBe(sizes.reduce((sum, size) => sum + size, 0));
  // Three stacks, the first and the last among them, tell how the lens moves.
  expect(thread.asked.slice(0, 3)).toEqual(["align 000", "align 001", "align 003"]);
});

test("the calibration is the mean of what stacks tell; who tells nothing lies as the next one to the middle", async () => {
  const { start, ended, thread, scanFolder } = await createBench();
  thread.transforms = (stack) =>
    [
      [shifted(2), rows, null],
      [shifted(4), rows, null],
      [null, rows, null],
    ][stack] ?? [];
  await ended(await start());
  const { transforms } = JSON.parse(
    await readFile(join(scanFolder, "stacked/calibration_scan01.json"), "utf8"),
  ) as { transforms: AffineRows[] };
  expect(transforms).toEqual([shifted(3), rows, rows]);
});

test("defect 32: incomplete and damaged stacks are left out and told; the others are stacked", async () => {
  const { start, ended, thread, store, scan } = await createBench();
  await store.deletePhotos("Vase", 1, [photoName(1, { step: 0, stack: 1 }, ".jpg")], () => {});
  thread.before = (name) => {
    if (name === "002") throw new UnusablePhotos("scan01_002_fs01.jpg is damaged");
  };
  expect(await ended(await start())).toMatchObject({
    status: "completed",
    progress: { message: "2 of 3 positions stacked; left out because photos are missing or damaged: 0, 2" },
    result: {
      stacked_image_count: 2,
      skipped: [
        { step: 0, reason: "photos are missing" },
        { step: 2, reason: "scan01_002_fs01.jpg is damaged" },
      ],
    },
  });
  expect(scan().photos).not.toContain("stacked/stacked_scan01_002.jpg");
});

test("when no stack can be used the task says why", async () => {
  const { start, ended, thread, scan } = await createBench({ positions: 1 });
  thread.before = () => {
    throw new UnusablePhotos("it is damaged");
  };
  expect(await ended(await start())).toMatchObject({
    status: "error",
    error: "no stack of scan 1 can be used: it is damaged",
  });
  expect(scan().stacking_task_status).toMatchObject({ status: "error" });
});

describe("start", () => {
  test("of one that has not ended answers with that one", async () => {
    const { start, ended, thread, tasks } = await createBench();
    thread.before = (_, signal) => untilAborted(signal);
    const first = await start();
    const [second, third] = await Promise.all([start(), start()]);
    expect([second?.id, third?.id]).toEqual([first.id, first.id]);
    tasks.cancel(first.id);
    await ended(first);
    expect((await start()).id).not.toBe(first.id);
  });

  test("is refused when there is no whole stack, or no such scan", async () => {
    const { start, store, stackings } = await createBench({ positions: 1 });
    await expect(stackings.start("Vase", 2)).rejects.toMatchObject({ code: "not_found" });
    await expect(stackings.start("None", 1)).rejects.toMatchObject({ code: "not_found" });
    expect(() => stackings.pause("Vase", 1)).toThrow('scan 1 of project "Vase" has no focus stacking task');
    await store.deletePhotos("Vase", 1, [photoName(1, { step: 0, stack: 2 }, ".jpg")], () => {});
    await expect(start()).rejects.toMatchObject({
      code: "conflict",
      message: 'scan 1 of project "Vase" has no position with all photos of a focus stack',
    });
  });
});

test("pause holds it between two stacks, resume goes on, and the scan tells", async () => {
  const { start, ended, thread, stackings, scan } = await createBench();
  let reached = () => {};
  const second = new Promise<void>((resolve) => {
    reached = resolve;
  });
  let goOn = () => {};
  thread.before = async (name) => {
    if (name !== "001") return;
    reached();
    await new Promise<void>((resolve) => {
      goOn = resolve;
    });
  };
  const task = await start();
  await second;
  expect(stackings.pause("Vase", 1).status).toBe("paused");
  expect(scan().stacking_task_status).toEqual({ task_id: task.id, status: "paused" });
  goOn();
  expect(stackings.resume("Vase", 1).status).toBe("running");
  expect((await ended(task)).status).toBe("completed");
});

describe("defect 12: a cancel", () => {
  test("ends the thread, keeps what is whole and listed, leaves nothing else, and the scan tells", async () => {
    const { start, ended, thread, tasks, scan, scanFolder } = await createBench();
    const reached = thread.holdUpAt("001");
    const task = await start();
    await reached;
    // As the UI does it, by the routes of the tasks.
    tasks.cancel(task.id);
    expect(scan().stacking_task_status).toEqual({ task_id: task.id, status: "cancelled" });
    expect(await ended(task)).toMatchObject({ status: "cancelled" });
    expect(thread.closed).toBeGreaterThanOrEqual(1);
    expect((await readdir(join(scanFolder, "stacked"))).sort()).toEqual([
      "calibration_scan01.json",
      "stacked_scan01_000.jpg",
    ]);
    expect(scan().photos.filter((photo) => photo.startsWith("stacked/"))).toEqual([
      "stacked/stacked_scan01_000.jpg",
    ]);
    expect(scan().total_size_bytes).toBe(await folderSize(scanFolder));
  });

  test("and a later start makes what is missing; a further one makes all anew", async () => {
    const { start, ended, thread, tasks } = await createBench();
    const reached = thread.holdUpAt("002");
    const task = await start();
    await reached;
    tasks.cancel(task.id);
    await ended(task);
    thread.before = () => {};
    thread.asked.length = 0;
    expect(await ended(await start())).toMatchObject({
      status: "completed",
      result: { stacked_image_count: 4 },
    });
    expect(thread.asked).toEqual(["stack 002", "stack 003"]);
    thread.asked.length = 0;
    await ended(await start());
    expect(thread.asked.filter((asked) => asked.startsWith("stack"))).toHaveLength(4);
  });
});

test("after a restart of the process it goes on with what is missing, by either route", async () => {
  const { start, thread, tasks, following, store, restarted } = await createBench();
  const reached = thread.holdUpAt("002");
  const task = await start();
  await reached;
  await tasks.close();
  await following.settled();
  await store.close();

  const again = await restarted();
  expect(again.scan().stacking_task_status).toMatchObject({ status: "interrupted" });
  expect(again.tasks.get(task.id)?.status).toBe("interrupted");
  expect(again.stackings.resume("Vase", 1).id).toBe(task.id);
  expect(await again.ended(task)).toMatchObject({ status: "completed", result: { stacked_image_count: 4 } });
  expect(again.thread.asked).toEqual(["stack 002", "stack 003"]);
  expect(again.scan().stacking_task_status).toEqual({ task_id: task.id, status: "completed" });
});

test("killed between its last photo and its own record, a stacking is complete; a start makes all of it anew", async () => {
  const { start, ended, store, records, scanFolder, restarted } = await createBench();
  const task = await start();
  const running = structuredClone(records.files.get(task.id));
  await ended(task);
  await store.updateScan("Vase", 1, () => ({
    stacking_task_status: { task_id: task.id, status: "running" },
  }));
  await store.close();
  if (running !== undefined) records.files.set(task.id, running);

  const again = await restarted();
  expect(again.tasks.get(task.id)?.status).toBe("interrupted");
  expect(again.scan().stacking_task_status).toEqual({ task_id: task.id, status: "completed" });
  expect((await again.stackings.start("Vase", 1)).id).toBe(task.id);
  expect(await again.ended(task)).toMatchObject({ status: "completed" });
  expect(again.thread.asked.filter((asked) => asked.startsWith("stack"))).toHaveLength(4);
  expect(await readdir(join(scanFolder, "stacked"))).toHaveLength(5);
});

test("photos that were taken again after the calibration are stacked again, all of them", async () => {
  const { start, ended, thread, scanFolder } = await createBench();
  await ended(await start());
  await rm(join(scanFolder, "stacked/stacked_scan01_001.jpg"));
  const later = new Date(Date.now() + 60_000);
  await utimes(join(scanFolder, "scan01_003_fs01.jpg"), later, later);
  thread.asked.length = 0;
  await ended(await start());
  expect(thread.asked.filter((asked) => asked.startsWith("stack"))).toHaveLength(4);
});

test.each([
  ["is damaged", "{ not JSON"],
  ["is of another stack size", JSON.stringify({ project: "Vase", scan_index: 1, transforms: [rows] })],
])("a calibration that %s is made anew", async (_, content) => {
  const { start, ended, thread, scanFolder } = await createBench({ positions: 1 });
  await mkdir(join(scanFolder, "stacked"));
  await writeFile(join(scanFolder, "stacked/calibration_scan01.json"), content);
  expect((await ended(await start())).status).toBe("completed");
  expect(thread.asked).toEqual(["align 000", "stack 000"]);
});
