import { type Scan, ScanError, type ScanPath, type TaskProgress } from "@openscan/protocol";
import { defineTask, parameters, type TaskContext, TaskInterrupted, type TaskType } from "@openscan/tasks";
import { z } from "zod";
import { fileSize } from "../projects/folders.js";
import { capturedSteps } from "../projects/layout.js";
import type { ProjectStore } from "../projects/project-store.js";
import { BackgroundJobs } from "./background-jobs.js";
import { FocusControl, focusPositions } from "./focus-stack.js";
import { PatientDisk } from "./patient-disk.js";
import { photoRecord } from "./photo-record.js";
import { planScan, requireReachable, scanPoints } from "./scan-plan.js";
import { type Direction, directionOf, type ScanCamera, type Scanner, type ScanPhoto } from "./scanner.js";
import { makeThumbnail } from "./thumbnail.js";
import { undisturbed } from "./undisturbed.js";

export const scanTaskType = "scan_task";

/** Photos that may wait for the disk while the scan goes on. */
const UNSAVED_PHOTOS = 2;
const REST = { theta: 90, fi: 90 };

/** What is timed: `capture` and `store` for each photo; `step` is one position until its photos wait for the disk. */
export type ScanPhase = "move" | "capture" | "store" | "step";

export interface ScanTaskOptions {
  readonly store: ProjectStore;
  readonly device: Scanner;
  /** Told of every phase that succeeded; the time of a pause does not count. */
  readonly onStep?: (phase: ScanPhase, seconds: number) => void;
}

/** The members of a scan that say which one it is; the others are there for those who look at the task. */
const ScanReference = z.object({ project_name: z.string(), index: z.int() });
type ScanReference = z.output<typeof ScanReference>;
type Position = ScanPath["points"][number];

/** Where the motors stood when they had got there. */
type ReachedPosition = Position & { readonly reached: Direction };

/** Arguments of a new task for a scan: what it is, never what becomes of it. */
export function scanTaskArguments(scan: Scan): unknown[] {
  const { project_name, index, settings, camera_name, camera_settings, description } = scan;
  return [{ project_name, index, settings, camera_name, camera_settings, description }, scan.current_step];
}

/**
 * Photographs every position of a stored scan that has no photos yet. Its settings come from the store, not from
 * the arguments; `start_step` only tells where the scan stood when the task was made.
 */
export function scanTask(options: ScanTaskOptions): TaskType {
  const parse = parameters(z.object({ scan: ScanReference, start_step: z.int().min(0).default(0) }));
  return defineTask({
    type: scanTaskType,
    concurrency: "exclusive",
    input(args, kwargs) {
      const { scan } = parse(args, kwargs);
      options.store.scan(scan.project_name, scan.index);
      return scan;
    },
    run: (reference, context) => new ScanRun(reference, context, options).run(),
  });
}

class ScanRun {
  readonly #reference: ScanReference;
  readonly #context: TaskContext;
  readonly #store: ProjectStore;
  readonly #scanner: Scanner;
  readonly #onStep: NonNullable<ScanTaskOptions["onStep"]>;
  readonly #saves = new BackgroundJobs(UNSAVED_PHOTOS);
  readonly #disk: PatientDisk;
  #pausedMs = 0;
  #lapStart: number;
  #reported = -1;

  constructor(reference: ScanReference, context: TaskContext, options: ScanTaskOptions) {
    this.#reference = reference;
    this.#context = context;
    this.#store = options.store;
    this.#scanner = options.device;
    this.#onStep = options.onStep ?? (() => {});
    const folder = options.store.get(reference.project_name).path;
    this.#disk = new PatientDisk({ context, folder, paused: (reason) => this.#tellWhyPaused(reason) });
    this.#lapStart = context.clock.monotonic();
  }

  async *run(): AsyncGenerator<TaskProgress, string, void> {
    const { signal, clock } = this.#context;
    // Lets everybody who listens to the tasks hear that this one has started.
    await this.#context.checkpoint();
    const { settings, camera_name } = this.#claimed();
    if (camera_name === null) throw new ScanError("invalid", "the scan names no camera");
    const camera = this.#scanner.camera(camera_name);
    requireReachable(scanPoints(settings, this.#scanner.status().scan_radius_mm), this.#scanner);
    const focus = new FocusControl(camera);
    try {
      await this.#scanner.prepareScan(signal);
      await this.#requireThumbnail(camera);
      const path = await this.#path();
      const total = path.points.length;
      yield* this.#progress(total);
      this.#lapStart = clock.monotonic();
      for (const point of this.#remaining(path)) {
        const stepDone = this.#timer("step", () => this.#pausedMs);
        await this.#checkpoint();
        const moveDone = this.#timer("move");
        await this.#scanner.moveTo(point.polar, signal);
        moveDone();
        const position = { ...point, reached: directionOf(this.#scanner) };
        yield* this.#progress(total);
        await this.#capture(position, camera, focus);
        stepDone();
        yield* this.#progress(total);
      }
      await this.#saves.done();
      await this.#store.requirePhotos(this.#reference.project_name, this.#reference.index);
      yield* this.#progress(total);
      return `Scan ${this.#reference.index} completed: ${total} positions photographed.`;
    } catch (error) {
      // Hardware tells of a cancel in its own words; the task is to tell of it in the canceller's.
      if (error instanceof ScanError && error.code === "cancelled") signal.throwIfAborted();
      throw error;
    } finally {
      await this.#saves.ended();
      const { project_name, index } = this.#reference;
      await this.#attempt("the poses were not written", () => this.#store.savePoses(project_name, index));
      // At a shutdown the scanner has to stand still soon; a cancelled scan goes back to rest.
      if (!(signal.reason instanceof TaskInterrupted)) {
        await this.#attempt("the scanner did not return to rest", () => this.#scanner.moveTo(REST));
      }
      await this.#attempt("the camera's focus was not restored", () => focus.restore());
    }
  }

  /** A second task for a scan, made by hand, must not get between the first one and its camera. */
  #claimed(): Scan {
    const scan = this.#scan();
    if (scan.task_id === this.#context.id) return scan;
    const owner = scan.task_id === null ? "no task" : `task ${scan.task_id}`;
    throw new ScanError("conflict", `scan ${scan.index} is ${scan.status} and belongs to ${owner}`);
  }

  #scan(): Scan {
    return this.#store.scan(this.#reference.project_name, this.#reference.index);
  }

  /** The order is decided once: after a resume the motors stand elsewhere, and another one would skip positions. */
  async #path(): Promise<ScanPath> {
    const { project_name, index } = this.#reference;
    const stored = await this.#store.findPath(project_name, index);
    if (stored) return stored;
    const path = await planScan(this.#scan(), this.#scanner, this.#context);
    await this.#disk.write(() => this.#store.savePath(project_name, index, path));
    return path;
  }

  #remaining({ points }: ScanPath): Position[] {
    const { photos, settings } = this.#scan();
    const captured = capturedSteps(photos, settings.focus_stacks);
    return points.filter((point) => !captured.has(point.original_step));
  }

  async #capture(position: ReachedPosition, camera: ScanCamera, focus: FocusControl): Promise<void> {
    const { settings } = this.#scan();
    const { clock, signal, log } = this.#context;
    const { pause_before_capture_ms: pauseMs } = settings;
    for (const [index, dioptres] of focusPositions(settings).entries()) {
      const photo = await undisturbed({
        scanner: this.#scanner,
        target: position.polar,
        reached: position.reached,
        signal,
        checkpoint: () => this.#checkpoint(),
        work: async () => {
          if (index === 0 && pauseMs > 0) await clock.sleep(pauseMs, signal);
          if (dioptres !== null) await this.#whenFree(() => focus.focusAt(dioptres));
          return this.#shoot(position, index, camera);
        },
        disturbed: () =>
          log.warn(
            { ...this.#reference, step: position.original_step },
            "a photo is taken again: the motors were turned",
          ),
      });
      await this.#save(photo, position, dioptres === null ? null : index, camera);
    }
  }

  async #shoot({ original_step }: Position, stack: number, camera: ScanCamera): Promise<ScanPhoto> {
    const { signal } = this.#context;
    const { image_format: format } = this.#scan().settings;
    // The same for a position of a scan whenever it is photographed, so that simulated scans can be repeated.
    const seed = (this.#reference.index * 1000 + original_step) * 100 + stack;
    const captureDone = this.#timer("capture");
    const photo = await this.#whenFree(() => camera.capture({ format, signal, seed }));
    captureDone();
    return photo;
  }

  /** Viewers who fill the camera's queue hold the scan up a little; they must not end it. */
  async #whenFree<T>(work: () => Promise<T>): Promise<T> {
    const { clock, signal } = this.#context;
    for (;;) {
      try {
        return await work();
      } catch (error) {
        if (!(error instanceof ScanError && error.code === "busy")) throw error;
        await clock.sleep(100, signal);
      }
    }
  }

  async #save(photo: ScanPhoto, point: Position, stack: number | null, camera: ScanCamera): Promise<void> {
    const scan = this.#scan();
    const actual = directionOf(this.#scanner);
    const record = photoRecord(photo, { scan, point, stack, camera, actual, seconds: this.#lap() });
    const save = async () => {
      const storeDone = this.#timer("store");
      await this.#store.savePhoto(scan.project_name, scan.index, record);
      storeDone();
    };
    await this.#saves.start(() => this.#disk.write(save));
  }

  async #checkpoint(): Promise<void> {
    const start = this.#context.clock.monotonic();
    await this.#context.checkpoint();
    this.#pausedMs += this.#context.clock.monotonic() - start;
  }

  /** Starts to time a phase; what it returns is to be called when that has succeeded. */
  #timer(phase: ScanPhase, excludedMs = () => 0): () => void {
    const counted = () => this.#context.clock.monotonic() - excludedMs();
    const start = counted();
    return () => this.#onStep(phase, (counted() - start) / 1000);
  }

  /** Seconds since it was asked last. */
  #lap(): number {
    const start = this.#lapStart;
    this.#lapStart = this.#context.clock.monotonic();
    return (this.#lapStart - start) / 1000;
  }

  /** Reports the positions whose photos are on the disk: each of them once, also when two were saved meanwhile. */
  *#progress(total: number): Generator<TaskProgress, void, void> {
    const saved = this.#scan().current_step;
    if (this.#reported < 0) this.#reported = saved - 1;
    while (this.#reported < saved) {
      const current = ++this.#reported;
      yield { current, total, message: `${current} of ${total} positions photographed` };
    }
  }

  async #requireThumbnail(camera: ScanCamera): Promise<void> {
    const { project_name } = this.#reference;
    const { signal } = this.#context;
    if ((await fileSize(this.#store.thumbnailFile(project_name))) > 0) return;
    await this.#attempt("the project has no thumbnail", async () => {
      const preview = await camera.preview(signal);
      const { orientation_flag } = camera.settings.get();
      await this.#store.saveThumbnail(project_name, await makeThumbnail(preview, orientation_flag));
    });
    signal.throwIfAborted();
  }

  /** For those who look at the scan and not at its task. */
  #tellWhyPaused(reason: string): void {
    const { project_name, index } = this.#reference;
    this.#store
      .updateScan(project_name, index, () => ({ system_message: reason }))
      .catch((err: unknown) => {
        // It is what the reason tells of: the disk takes nothing. In memory the scan has the message.
        this.#context.log.debug({ err, ...this.#reference }, "why the scan is paused was not saved");
      });
  }

  async #attempt(failure: string, action: () => Promise<void>): Promise<void> {
    try {
      await action();
    } catch (err) {
      this.#context.log.error({ err, ...this.#reference }, failure);
    }
  }
}
