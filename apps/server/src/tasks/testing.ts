import { createHash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CameraSettings, MotorSettings, ScanError, ScanSettings, type Task } from "@openscan/protocol";
import { FakeClock, recordingLogger } from "@openscan/runtime/testing";
import { TaskManager } from "@openscan/tasks";
import { MemoryTaskStore } from "@openscan/tasks/testing";
import sharp from "sharp";
import { onTestFinished } from "vitest";
import { fileSizes } from "../projects/folders.js";
import { ProjectStore } from "../projects/project-store.js";
import { Scans } from "../projects/scans.js";
import { followScanTasks } from "./scan-status.js";
import { type ScanPhase, scanTask } from "./scan-task.js";
import type { Direction, ScanCamera, ScanMotor, Scanner } from "./scanner.js";

/** A folder that is removed with the test. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "openscan-projects-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Bytes of all files in and below a folder. */
export async function folderSize(folder: string): Promise<number> {
  return [...(await fileSizes(folder)).values()].reduce((total, size) => total + size, 0);
}

export type Step = "prepare" | "move" | "preview" | "capture";

/** The contract of the device without hardware: moves at once, photographs its own position, and can be held up. */
export class FakeScanner implements Scanner {
  readonly clock: FakeClock;
  /** What was done, e.g. `move 90/12.5`, `capture`, `focus 12`. */
  readonly done: string[] = [];
  readonly rotor = new FakeMotor({ max_angle: 180 });
  readonly turntable = new FakeMotor({});
  camera: Scanner["camera"];
  /** Called before each step, which then waits for it. */
  before: (step: Step, signal: AbortSignal | undefined) => Promise<void> | void = () => {};
  cameraSettings = CameraSettings.parse({ orientation_flag: 1 });
  /** What the motors miss a target by, in degrees. */
  slipDeg = 0;
  moveMs = 250;
  /** Least size of a photo. */
  photoBytes = 0;
  /** SHA-256 of every photo. */
  taken = new Set<string>();
  #isMoving = false;

  constructor(clock: FakeClock) {
    this.clock = clock;
    this.camera = (name) => {
      if (name !== "front") throw new ScanError("not_found", `camera ${name} does not exist`);
      return this.#camera;
    };
  }

  readonly #camera: ScanCamera = {
    name: "front",
    settings: {
      get: () => ({ ...this.cameraSettings }),
      replace: async (settings) => {
        for (const name of ["AF", "manual_focus"] as const) {
          if (settings[name] !== this.cameraSettings[name]) this.done.push(`${name} ${settings[name]}`);
        }
        this.cameraSettings = settings;
        return settings;
      },
    },
    requireFormat(format) {
      if (format === "dng") throw new ScanError("bad_request", "camera front delivers jpeg, not dng");
    },
    capture: async ({ format, signal }) => {
      await this.#step("capture", signal);
      this.done.push("capture");
      const seen = `${format} at ${this.rotor.angle}/${this.turntable.angle}, focus ${this.cameraSettings.manual_focus}`;
      const bytes = new TextEncoder().encode(seen.padEnd(this.photoBytes));
      this.taken.add(createHash("sha256").update(bytes).digest("hex"));
      return { bytes, extension: ".jpg", rawMetadata: { ISO: 100 } };
    },
    preview: async (signal) => {
      await this.#step("preview", signal);
      const create = { width: 640, height: 480, channels: 3, background: "teal" } as const;
      return sharp({ create }).jpeg().toBuffer();
    },
  };

  status() {
    return { scan_radius_mm: 110 };
  }

  motor(name: string): ScanMotor {
    return name === "rotor" ? this.rotor : this.turntable;
  }

  checkReachable({ theta }: Direction): void {
    const { max_angle } = this.rotor.settings.get();
    if (theta > max_angle) throw new ScanError("out_of_range", `rotor cannot be at ${theta} degrees`);
  }

  async prepareScan(signal?: AbortSignal): Promise<void> {
    await this.#step("prepare", signal);
  }

  /** How many keep the device awake. */
  awake = 0;

  keepAwake(): () => void {
    this.awake++;
    return () => this.awake--;
  }

  async moveTo({ theta, fi }: Direction, signal?: AbortSignal): Promise<void> {
    if (this.#isMoving) throw new ScanError("busy", "the motors move already");
    this.#isMoving = true;
    try {
      await this.#step("move", signal);
      await this.clock.advance(this.moveMs);
      signal?.throwIfAborted();
      this.rotor.angle = theta - this.slipDeg;
      this.turntable.angle = fi + this.slipDeg;
      this.done.push(`move ${theta}/${fi}`);
    } finally {
      this.#isMoving = false;
    }
  }

  async #step(step: Step, signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted();
    await this.before(step, signal);
    signal?.throwIfAborted();
  }
}

class FakeMotor implements ScanMotor {
  angle = 90;
  readonly settings: { get(): MotorSettings };

  constructor(settings: Partial<MotorSettings>) {
    const pins = { direction_pin: 1, enable_pin: 2, step_pin: 3, steps_per_rotation: 3200 };
    const parsed = MotorSettings.parse({ ...pins, ...settings });
    this.settings = { get: () => parsed };
  }

  status() {
    return { angle: this.angle };
  }
}

/** Resolves never, but rejects when the signal is aborted: a step that hangs until it is stopped. */
export function untilAborted(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_, reject) => {
    signal?.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
  });
}

export const fivePoints = ScanSettings.parse({ points: 5 });

interface BenchOptions {
  readonly directory?: string;
  readonly records?: MemoryTaskStore;
  readonly Store?: typeof ProjectStore;
}

/** Everything around a scan, with real files; `directory` and `records` of another one continue after a restart. */
export async function createBench(options: BenchOptions = {}) {
  const {
    directory = await temporaryFolder(),
    records = new MemoryTaskStore(),
    Store = ProjectStore,
  } = options;
  const clock = new FakeClock();
  const log = recordingLogger();
  const device = new FakeScanner(clock);
  const store = new Store({ directory, clock, log });
  await store.load();
  const steps: [ScanPhase, number][] = [];
  const first = records.files.size;
  let ids = first;
  const tasks = new TaskManager({
    types: [scanTask({ store, device, onStep: (phase, seconds) => steps.push([phase, seconds]) })],
    store: records,
    clock,
    log,
    newId: () => `task-${++ids}`,
  });
  const following = followScanTasks(tasks.events, store, log);
  await tasks.restore();
  const events: Task[] = [];
  tasks.events.on((event) => {
    if (event.type === "updated") events.push(event.task);
  });
  const scans = new Scans({ device, store, tasks });
  onTestFinished(async () => {
    await tasks.close();
    await following.settled();
    await store.close();
  });

  /** Starts a scan in project `Vase`, which is made if need be. */
  const start = async (settings: Partial<ScanSettings> = {}) => {
    if (!("Vase" in store.list())) await store.create("Vase", null);
    const order = { settings: { ...fivePoints, ...settings }, camera_name: "front", description: null };
    return scans.start("Vase", order);
  };
  /** Ends the task and brings everything to the disk. */
  const ended = async (id: string): Promise<Task> => {
    const task = await tasks.ended(id);
    await following.settled();
    return task;
  };
  /** Resolves with the first task event, past or to come, that fits. */
  const seen = (fits: (task: Task) => boolean): Promise<Task> =>
    new Promise((resolve) => {
      const past = events.find(fits);
      if (past) return resolve(past);
      const undo = tasks.events.on((event) => {
        if (event.type !== "updated" || !fits(event.task)) return;
        undo();
        resolve(event.task);
      });
    });
  /** A second process that finds what this one left. */
  const restarted = () => createBench({ directory, records, Store });
  return {
    directory,
    clock,
    log,
    device,
    store,
    tasks,
    following,
    events,
    steps,
    scans,
    start,
    ended,
    seen,
    restarted,
  };
}
