import {
  ExternalTriggerRunSettings,
  ScanError,
  type TaskProgress,
  type TriggerDelays,
} from "@openscan/protocol";
import { timestamp } from "@openscan/runtime";
import { defineTask, parameters, type TaskContext, TaskInterrupted, type TaskType } from "@openscan/tasks";
import { z } from "zod";
import { plannedPositions, requireReachable, scanPoints } from "../tasks/scan-plan.js";
import type { Scanner } from "../tasks/scanner.js";
import type { RunFiles } from "./run-files.js";

export const runTaskType = "external_trigger_run_task";

const REST = { theta: 90, fi: 90 };

/** What a run needs of a trigger. */
interface RunTrigger {
  readonly settings: { get(): { readonly enabled: boolean } };
  fire(delays: TriggerDelays, signal?: AbortSignal): Promise<unknown>;
  /** Makes sure that the line is inactive. */
  reset(): Promise<void>;
}

/** What a run needs of the device. */
export interface TriggeringScanner extends Omit<Scanner, "camera"> {
  /** @throws ScanError `not_found` */
  trigger(name: string): RunTrigger;
}

interface RunTaskOptions {
  readonly device: TriggeringScanner;
  readonly files: RunFiles;
}

const Arguments = z.object({
  settings: ExternalTriggerRunSettings,
  start_from_step: z.int().min(0).default(0),
  label: z.string().nullable().default(null),
  description: z.string().nullable().default(null),
});

/**
 * Makes sure that a run can succeed.
 *
 * @throws ScanError `not_found` without the trigger, `conflict` when it is disabled, `invalid` or `out_of_range` for
 * the path
 */
export function requireRunnable(settings: ExternalTriggerRunSettings, device: TriggeringScanner): void {
  const { trigger_name } = settings;
  if (!device.trigger(trigger_name).settings.get().enabled)
    throw new ScanError("conflict", `trigger ${trigger_name} is disabled`);
  requireReachable(scanPoints(settings, device.status().scan_radius_mm), device);
}

/** Moves to each position of a path and has an external camera take its photo there. */
export function externalTriggerRunTask(options: RunTaskOptions): TaskType {
  const parse = parameters(Arguments);
  return defineTask({
    type: runTaskType,
    concurrency: "exclusive",
    input: parse,
    run: (input, context) => run(input, context, options),
  });
}

async function* run(
  { settings, start_from_step }: z.output<typeof Arguments>,
  context: TaskContext,
  { device, files }: RunTaskOptions,
): AsyncGenerator<TaskProgress, { task_id: string; path_path: string }, void> {
  const { id, signal, clock, log } = context;
  // Lets everybody who listens to the tasks hear that this one has started.
  await context.checkpoint();
  requireRunnable(settings, device);
  const trigger = device.trigger(settings.trigger_name);
  const { pre_trigger_delay_ms, post_trigger_delay_ms } = settings;
  try {
    await device.prepareScan(signal);
    const { points } = await storedPath();
    const total = points.length;
    let current = Math.min(total, Math.max(start_from_step, await files.finished(id)));
    const progress = () => ({ current, total, message: `${current} of ${total} positions triggered` });
    yield progress();
    for (const { polar_coordinates } of points.slice(current)) {
      await context.checkpoint();
      await awake(async () => {
        // In a long pause the device may have fallen asleep.
        await device.prepareScan(signal);
        await device.moveTo(polar_coordinates, signal);
        await trigger.fire({ pre_trigger_delay_ms, post_trigger_delay_ms }, signal);
      });
      await files.saveFinished(id, ++current);
      yield progress();
    }
    return { task_id: id, path_path: files.pathFile(id) };
  } catch (error) {
    // Hardware tells of a cancel in its own words; the task is to tell of it in the canceller's.
    if (error instanceof ScanError && error.code === "cancelled") signal.throwIfAborted();
    throw error;
  } finally {
    await attempt("the trigger was not reset", () => trigger.reset());
    // At a shutdown the scanner has to stand still soon.
    if (!(signal.reason instanceof TaskInterrupted))
      await attempt("the scanner did not return to rest", () => device.moveTo(REST));
  }

  /** The order is decided once: after a restart the motors stand elsewhere. */
  async function storedPath() {
    const stored = await files.findPath(id);
    if (stored) return stored;
    const planned = await plannedPositions(settings, device, { clock, signal });
    const points = planned.map(({ polar, cartesian, ...steps }) => ({
      ...steps,
      polar_coordinates: polar,
      cartesian_coordinates: cartesian,
    }));
    const path = { task_id: id, generated_at: timestamp(clock), total_steps: points.length, points };
    await files.savePath(path);
    return path;
  }

  async function awake(work: () => Promise<void>) {
    const release = device.keepAwake();
    try {
      await work();
    } finally {
      release();
    }
  }

  async function attempt(failure: string, work: () => Promise<void>) {
    try {
      await work();
    } catch (err) {
      log.error({ err, run: id }, failure);
    }
  }
}
