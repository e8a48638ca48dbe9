import { CameraSettings, ExternalTriggerRunSettings, type LiveTask, ScanSettings } from "@openscan/protocol";
import { type Clock, Emitter, type Logger } from "@openscan/runtime";
import type { TaskEvent } from "@openscan/tasks";
import { z } from "zod";
import { runTaskType } from "../external-trigger/run-task.js";
import { scanTaskType } from "./scan-task.js";

/** A running task that has shown no progress for unusually long. */
export interface Stall {
  readonly id: string;
  /** What the task said last; empty when it has said nothing. */
  readonly phase: string;
  readonly seconds: number;
}

interface Options {
  readonly events: Emitter<TaskEvent>;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Tells of each silence once. Paused tasks may be silent, and so may types that do not report their progress. */
export function watchForStalls({ events, clock, log }: Options): Emitter<Stall> {
  const stalls = new Emitter<Stall>(log);
  const watches = new Map<string, () => void>();
  events.on((event) => {
    const id = event.type === "updated" ? event.task.id : event.id;
    watches.get(id)?.();
    watches.delete(id);
    if (event.type === "deleted" || event.task.status !== "running") return;
    const { task_type, progress } = event.task;
    const patienceMs = patience[task_type]?.(event.task);
    if (patienceMs === undefined) return;
    const since = clock.monotonic();
    const tell = () =>
      stalls.emit({ id, phase: progress.message, seconds: (clock.monotonic() - since) / 1000 });
    watches.set(id, clock.after(patienceMs, tell));
  });
  return stalls;
}

/** How long a task may be silent in ms, by its type. */
const patience: Readonly<Record<string, (task: LiveTask) => number>> = {
  [scanTaskType]: ({ run_args }) => {
    const { settings, camera_settings } = ScanArguments.parse(run_args[0]);
    const photoMs = PHOTO_MS + 2 * (camera_settings.shutter ?? 0);
    return STEP_MS + settings.pause_before_capture_ms + settings.focus_stacks * photoMs;
  },
  [runTaskType]: ({ run_args }) => {
    const { pre_trigger_delay_ms = 0, post_trigger_delay_ms = 0 } =
      ExternalTriggerRunSettings.safeParse(run_args[0]).data ?? {};
    return STEP_MS + PULSE_MS + pre_trigger_delay_ms + post_trigger_delay_ms;
  },
};

/** To move, to calibrate before the first move, and for a disk that takes its time. */
const STEP_MS = 60_000;
/** The longest there is. */
const PULSE_MS = 5000;
/** Beyond the exposure: focusing, developing, transfer. */
const PHOTO_MS = 5000;

/** A scan reports each position. Whoever made its task by hand may have left out what tells how long one takes. */
const ScanArguments = z
  .object({ settings: ScanSettings.prefault({}), camera_settings: CameraSettings.prefault({}) })
  .catch({ settings: ScanSettings.parse({}), camera_settings: CameraSettings.parse({}) });
