import { join } from "node:path";
import { type Scan, ScanError, type TaskProgress } from "@openscan/protocol";
import { defineTask, parameters, type TaskContext, type TaskType } from "@openscan/tasks";
import { z } from "zod";
import { type AffineRows, fromRows, identity, mean, toRows } from "../imaging/affine.js";
import { referenceOf } from "../imaging/reference.js";
import { StackingThread, UnusablePhotos } from "../imaging/stacking-thread.js";
import { calibrationName, type ScanAddress, stackedFolder, stackedName } from "../projects/layout.js";
import type { ProjectStore } from "../projects/project-store.js";
import { readStackedSet, type StackedSet } from "../projects/stacked-set.js";
import { type PhotoStack, photoStacks } from "./photo-stacks.js";

export const stackingTaskType = "focus_stacking_task";

/** Stacks that the calibration looks at. */
const CALIBRATED = 3;

export interface StackingTaskOptions {
  readonly store: ProjectStore;
  /** Throws while the scan is being photographed, and when it has no stacks. */
  readonly requireStackable: (scan: Scan) => void;
  readonly createThread?: () => Pick<StackingThread, "align" | "stack" | "close">;
}

interface Skipped {
  readonly step: number;
  readonly reason: string;
}

/**
 * Makes one photo of each whole focus stack of a scan, sharp from front to back. A set of stacked photos that is not
 * whole is completed, e.g. after a restart of the process; a whole one is made anew.
 */
export function stackingTask(options: StackingTaskOptions): TaskType {
  const parse = parameters(z.object({ project_name: z.string(), scan_index: z.int() }));
  return defineTask({
    type: stackingTaskType,
    concurrency: "concurrent",
    lane: "processor",
    input(args, kwargs): ScanAddress {
      const { project_name, scan_index } = parse(args, kwargs);
      const scan = options.store.scan(project_name, scan_index);
      return { project: scan.project_name, index: scan.index };
    },
    run: (address, context) => new StackingRun(address, context, options).run(),
  });
}

class StackingRun {
  readonly #address: ScanAddress;
  readonly #context: TaskContext;
  readonly #store: ProjectStore;
  readonly #requireStackable: (scan: Scan) => void;
  readonly #thread: Pick<StackingThread, "align" | "stack" | "close">;
  readonly #skipped: Skipped[] = [];

  constructor(address: ScanAddress, context: TaskContext, options: StackingTaskOptions) {
    this.#address = address;
    this.#context = context;
    this.#store = options.store;
    this.#requireStackable = options.requireStackable;
    this.#thread = options.createThread?.() ?? new StackingThread();
  }

  async *run(): AsyncGenerator<TaskProgress, unknown, void> {
    const { project, index } = this.#address;
    // Lets everybody who listens to the tasks hear that this one has started.
    await this.#context.checkpoint();
    const scan = this.#store.scan(project, index);
    this.#requireStackable(scan);
    const { whole, incomplete } = photoStacks(scan);
    for (const step of incomplete) this.#skip(step, "photos are missing");
    const total = whole.length;
    try {
      yield { current: 0, total, message: "Finding out how the photos of a stack lie to each other." };
      const { transforms, missing } = await this.#begun(whole);
      const made = new Set(whole.filter((stack) => !missing.includes(stack)));
      yield this.#progress(made.size, total);
      for (const stack of missing) {
        await this.#context.checkpoint();
        if (await this.#stack(stack, transforms)) made.add(stack);
        yield this.#progress(made.size, total);
      }
      const [first] = this.#skipped;
      if (made.size === 0 && first)
        throw new ScanError("invalid", `no stack of scan ${index} can be used: ${first.reason}`);
      const paths = whole.filter((stack) => made.has(stack)).map(({ step }) => stackedName(index, step));
      return {
        output_directory: stackedFolder,
        stacked_image_count: paths.length,
        output_paths: paths,
        calibration_path: calibrationName(index),
        skipped: this.#skipped,
      };
    } finally {
      await this.#thread.close();
    }
  }

  /** What an earlier run has left to be done; all of it when that has finished or its photos have changed. */
  async #begun(whole: readonly PhotoStack[]): Promise<StackedSet> {
    const { project, index } = this.#address;
    const begun = await readStackedSet(this.#path(""), index, whole);
    if (begun && begun.missing.length > 0) return begun;
    const transforms = await this.#calibrate(whole);
    await this.#store.saveCalibration(project, index, { project, scan_index: index, transforms });
    return { transforms, missing: whole };
  }

  /** One transform for each focus position: the lens moves alike in all stacks, but not every stack shows it. */
  async #calibrate(whole: readonly PhotoStack[]): Promise<AffineRows[]> {
    const { signal, log } = this.#context;
    const found: (readonly (AffineRows | null)[])[] = [];
    for (const stack of spread(whole, CALIBRATED)) {
      await this.#context.checkpoint();
      try {
        found.push(await this.#thread.align(this.#files(stack), signal));
      } catch (error) {
        if (!(error instanceof UnusablePhotos)) throw error;
        log.warn({ err: error, ...this.#address, step: stack.step }, "a stack cannot be aligned");
      }
    }
    // It has taken much memory, which only its end gives back.
    await this.#thread.close();
    return combined(found, whole[0]?.photos.length ?? 0);
  }

  async #stack(stack: PhotoStack, transforms: readonly AffineRows[]): Promise<boolean> {
    const { project, index } = this.#address;
    try {
      const jpeg = await this.#thread.stack(this.#files(stack), transforms, this.#context.signal);
      await this.#store.saveStacked(project, index, stackedName(index, stack.step), jpeg);
      return true;
    } catch (error) {
      if (!(error instanceof UnusablePhotos)) throw error;
      this.#context.log.warn({ err: error, ...this.#address, step: stack.step }, "a stack cannot be used");
      this.#skip(stack.step, error.message.replaceAll(`${this.#path("")}/`, ""));
      return false;
    }
  }

  #skip(step: number, reason: string): void {
    this.#skipped.push({ step, reason });
  }

  #progress(current: number, total: number): TaskProgress {
    const steps = this.#skipped.map(({ step }) => step).join(", ");
    const skipped = steps ? `; left out because photos are missing or damaged: ${steps}` : "";
    return { current, total, message: `${current} of ${total} positions stacked${skipped}` };
  }

  #files({ photos }: PhotoStack): string[] {
    return photos.map((photo) => this.#path(photo));
  }

  #path(file: string): string {
    return join(this.#store.scanPath(this.#address.project, this.#address.index), file);
  }
}

/** Up to `count` members, evenly spread from the first to the last. */
function spread<T>(all: readonly T[], count: number): T[] {
  if (all.length <= count) return [...all];
  return Array.from(
    { length: count },
    (_, index) => all[Math.floor((index * (all.length - 1)) / (count - 1))] as T,
  );
}

/**
 * The means of what several stacks say. Where none says anything, the transform of the next photo towards the middle is
 * the nearest guess, and the middle photo's own is the identity.
 */
function combined(found: readonly (readonly (AffineRows | null)[])[], size: number): AffineRows[] {
  const middle = referenceOf(size);
  const transforms = Array.from({ length: size }, (_, slot) => {
    const known = found.map((transforms) => transforms[slot] ?? null).filter((rows) => rows !== null);
    return known.length > 0 ? mean(known.map(fromRows)) : undefined;
  });
  transforms[middle] = identity;
  for (let slot = middle - 1; slot >= 0; slot--) transforms[slot] ??= transforms[slot + 1];
  for (let slot = middle + 1; slot < size; slot++) transforms[slot] ??= transforms[slot - 1];
  return transforms.map((transform) => toRows(transform ?? identity));
}
