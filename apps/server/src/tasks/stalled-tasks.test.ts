import { CameraSettings, ScanSettings } from "@openscan/protocol";
import { FakeClock, recordingLogger } from "@openscan/runtime/testing";
import { defineTask, TaskManager, type TaskType } from "@openscan/tasks";
import { MemoryTaskStore } from "@openscan/tasks/testing";
import { expect, test } from "vitest";
import { type Stall, watchForStalls } from "./stalled-tasks.js";
import { createBench, untilAborted } from "./testing.js";

/** A task of a type that says `working` when it is told to, and its watch. */
function create(type = "scan_task") {
  const clock = new FakeClock();
  const log = recordingLogger();
  let report = () => {};
  const body: TaskType = defineTask({
    type,
    concurrency: "exclusive",
    input: () => undefined,
    async *run(_, { signal }) {
      for (let current = 1; ; current++) {
        await Promise.race([
          new Promise<void>((resolve) => {
            report = resolve;
          }),
          untilAborted(signal),
        ]);
        yield { current, total: 9, message: `working ${current}` };
      }
    },
  });
  let ids = 0;
  const store = new MemoryTaskStore();
  const tasks = new TaskManager({ types: [body], store, clock, log, newId: () => `t${++ids}` });
  const told: Stall[] = [];
  watchForStalls({ events: tasks.events, clock, log }).on((stall) => told.push(stall));
  return {
    clock,
    tasks,
    told,
    async report() {
      report();
      await clock.advance(0);
    },
  };
}

const minute = 60_000;

test("a silent scan is told of once, with what it said last, and again after it went on", async () => {
  const { clock, tasks, told, report } = create();
  await tasks.create("scan_task");
  await clock.advance(0);
  await report();
  await clock.advance(minute);
  await report();
  await clock.advance(minute);
  expect(told).toEqual([]);
  await clock.advance(10 * minute);
  expect(told).toEqual([{ id: "t1", phase: "working 2", seconds: 65.1 }]);
  await report();
  await clock.advance(10 * minute);
  expect(told.map(({ phase }) => phase)).toEqual(["working 2", "working 3"]);
});

test("a scan that has said nothing at all is told of, too", async () => {
  const { clock, tasks, told } = create();
  await tasks.create("scan_task");
  await clock.advance(2 * minute);
  expect(told).toEqual([{ id: "t1", phase: "", seconds: 65.1 }]);
});

test("a paused task may be silent; after it, the silence counts anew", async () => {
  const { clock, tasks, told } = create();
  await tasks.create("scan_task");
  await clock.advance(minute);
  tasks.pause("t1");
  await clock.advance(60 * minute);
  tasks.resume("t1");
  await clock.advance(minute);
  expect(told).toEqual([]);
  await clock.advance(minute);
  expect(told).toEqual([{ id: "t1", phase: "Task resumed.", seconds: 65.1 }]);
});

test("tasks that wait, that have ended, or whose type does not report are not watched", async () => {
  const { clock, tasks, told } = create();
  await tasks.create("scan_task");
  await tasks.create("scan_task");
  await clock.advance(minute);
  tasks.cancel("t1");
  await clock.advance(minute);
  await tasks.delete("t1");
  tasks.cancel("t2");
  await clock.advance(10 * minute);
  expect(told).toEqual([]);
  expect(clock.pending).toBe(0);
  const other = create("upload_task");
  await other.tasks.create("upload_task");
  await other.clock.advance(60 * minute);
  expect(other.told).toEqual([]);
  expect(other.clock.pending).toBe(0);
});

test.each([
  [{ settings: ScanSettings.parse({ pause_before_capture_ms: 30_000 }) }, 95.1],
  [{ settings: ScanSettings.parse({ focus_stacks: 10 }) }, 60 + 10 * 5.1],
  [{ camera_settings: CameraSettings.parse({ shutter: 20_000 }) }, 60 + 5 + 40],
  [{ camera_settings: CameraSettings.parse({ shutter: null }) }, 65],
  [{ settings: { points: -1 } }, 65.1],
  ["not a scan", 65.1],
])("a step of the scan %j may take %d s", async (scan, seconds) => {
  const { clock, tasks, told } = create();
  await tasks.create("scan_task", [scan]);
  await clock.advance(60 * minute);
  expect(told).toEqual([{ id: "t1", phase: "", seconds }]);
});

test("a real scan is watched: one whose camera hangs is told of", async () => {
  const { clock, device, log, tasks, start, ended } = await createBench();
  const told: Stall[] = [];
  watchForStalls({ events: tasks.events, clock, log }).on((stall) => told.push(stall));
  let photos = 0;
  const hung = new Promise<void>((resolve) => {
    device.before = (step, signal) => {
      if (step !== "capture" || ++photos < 3) return undefined;
      resolve();
      return untilAborted(signal);
    };
  });
  const { id } = await start();
  await hung;
  await clock.advance(10 * minute);
  expect(told).toEqual([
    { id, phase: expect.stringContaining("of 5 positions photographed"), seconds: 65.1 },
  ]);
  tasks.cancel(id);
  await ended(id);
});
