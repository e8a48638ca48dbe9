// Scans with everything of the real server that a photo passes through, but with motors and a camera that take no time:
// what is left is the server's own. Arguments: a folder, the number of points. Prints what was measured as JSON.
import { randomBytes, randomUUID } from "node:crypto";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { Hub } from "@openscan/hub";
import { CameraSettings, MotorSettings, ScanSettings } from "@openscan/protocol";
import { silentLogger as log, systemClock as clock } from "@openscan/runtime";
import { FileTaskStore, TaskManager } from "@openscan/tasks";
import { connectFeeds } from "../../apps/server/dist/feeds.js";
import { ProjectStore } from "../../apps/server/dist/projects/project-store.js";
import { Scans } from "../../apps/server/dist/projects/scans.js";
import { scanTask } from "../../apps/server/dist/tasks/scan-task.js";
import { followScanTasks } from "../../apps/server/dist/tasks/scan-status.js";

const [folder, points] = process.argv.slice(2);
/** As large as one of a Raspberry Pi's camera. */
const bytes = randomBytes(3_000_000);
const nothing = { on: () => () => {} };

/** When each photo was taken, and what the process had used of the processors, in ms. */
const taken = [];
const used = [];
const camera = {
  name: "camera",
  settings: { get: () => settings, replace: async (next) => next },
  requireFormat() {},
  async capture() {
    taken.push(performance.now());
    const { user, system } = process.cpuUsage();
    used.push((user + system) / 1000);
    return { bytes, extension: ".jpg", rawMetadata: { ExposureTime: 50_000, AnalogueGain: 1 } };
  },
  preview: () => Promise.reject(new Error("no preview")),
};
const settings = CameraSettings.parse({});
const pins = { direction_pin: 1, enable_pin: 2, step_pin: 3 };
const motor = (steps_per_rotation, max_angle) => {
  const settings = MotorSettings.parse({ ...pins, steps_per_rotation, max_angle });
  return { angle: 90, settings: { get: () => settings }, status: () => motors };
};
const motors = { angle: 90 };
const rotor = motor(42_667, 180);
const turntable = motor(3200, 360);
const device = {
  camera: () => camera,
  motor: (name) => ({ rotor, turntable })[name],
  status: () => ({ scan_radius_mm: 110 }),
  checkReachable() {},
  moveTo: async () => {},
  prepareScan: async () => {},
  keepAwake: () => () => {},
  changes: nothing,
  faults: nothing,
};

const loop = monitorEventLoopDelay({ resolution: 1 });
const store = new ProjectStore({ directory: join(folder, "projects"), clock, log });
await store.load();
const tasks = new TaskManager({
  types: [scanTask({ device, store })],
  store: new FileTaskStore({ directory: join(folder, "tasks"), log }),
  clock,
  log,
  newId: randomUUID,
});
const hub = new Hub({
  clock,
  log,
  server: { name: "bench", version: "0" },
  state: { tasks: () => tasks.list(), device: () => ({}) },
});
followScanTasks(tasks.events, store, log);
connectFeeds({ hub, device, tasks, photos: store.photos, stalls: nothing });
const scans = new Scans({ device, store, tasks });
await store.create("bench", null);

const scan = (count) =>
  scans.start("bench", {
    settings: ScanSettings.parse({ points: count }),
    camera_name: "camera",
    description: null,
  });
// Warm: what is compiled while it runs is not the server's steady cost.
await tasks.ended((await scan(30)).id);
taken.length = 0;
used.length = 0;
loop.enable();
const started = performance.now();
const { id } = await scan(Number(points));
let pathMs;
const whenPlanned = tasks.events.on((event) => {
  if (event.type !== "updated" || event.task.progress.total === 0) return;
  pathMs ??= performance.now() - started;
  if (pathLoop === undefined) pathLoop = { max: loop.max / 1e6, p99: loop.percentile(99) / 1e6 };
});
let pathLoop;
const { status, error } = await tasks.ended(id);
whenPlanned();
if (status !== "completed") throw new Error(`${status}: ${error}`);
const photoMs = taken.slice(1).map((at, index) => at - taken[index]);
const cpuMs = used.slice(1).map((at, index) => at - used[index]);
const loopMs = { p50: loop.percentile(50) / 1e6, p99: loop.percentile(99) / 1e6, max: loop.max / 1e6 };
console.log(JSON.stringify({ photoMs, cpuMs, pathMs, pathLoop, loopMs }));
await tasks.close();
await store.close();
process.exit();
