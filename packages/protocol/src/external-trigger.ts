import { z } from "zod";
import { defineEndpoint, filledIn } from "./endpoint.js";
import { Timestamp } from "./scalars.js";
import { CartesianPoint, PolarPoint, ScanSettings } from "./scan.js";
import { Task } from "./task.js";

const { path_method, points, min_theta, max_theta, optimize_path, optimization_algorithm } =
  ScanSettings.shape;
/** Null: the full circle. */
const phi = z.number().min(0).max(360).nullable().default(null);
const delay = z.int().min(0).max(600_000).default(0).describe("ms");

/** A path as that of a scan, and what makes the camera take a photo at each of its positions. */
export const ExternalTriggerRunSettings = z
  .object({
    path_method,
    points,
    min_theta,
    max_theta,
    min_phi: phi,
    max_phi: phi,
    optimize_path,
    optimization_algorithm,
    trigger_name: z.string().min(1),
    pre_trigger_delay_ms: delay,
    post_trigger_delay_ms: delay,
  })
  .refine((run) => run.min_theta <= run.max_theta, {
    path: ["min_theta"],
    error: "min_theta must not be greater than max_theta",
  })
  .refine((run) => ["nearest_neighbor", "none"].includes(run.optimization_algorithm), {
    path: ["optimization_algorithm"],
    error: "optimization_algorithm must be nearest_neighbor or none",
  });
export type ExternalTriggerRunSettings = z.output<typeof ExternalTriggerRunSettings>;

export const ExternalTriggerRunRequest = z.object({
  label: z.string().nullable().default(null),
  description: z.string().nullable().default(null),
  settings: ExternalTriggerRunSettings,
});
export type ExternalTriggerRunRequest = z.output<typeof ExternalTriggerRunRequest>;

export const ExternalTriggerPoint = z.object({
  execution_step: z.int(),
  original_step: z.int(),
  polar_coordinates: PolarPoint,
  cartesian_coordinates: CartesianPoint,
});
export type ExternalTriggerPoint = z.output<typeof ExternalTriggerPoint>;

export const ExternalTriggerRunPath = z.object({
  task_id: z.string(),
  generated_at: Timestamp.meta(filledIn),
  total_steps: z.int().min(0).default(0),
  points: z.array(ExternalTriggerPoint).meta(filledIn),
});
export type ExternalTriggerRunPath = z.output<typeof ExternalTriggerRunPath>;

const next = ["next"] as const;
const Run = z.object({ task_id: z.string() });

/** Newest first. */
export const listExternalTriggerRuns = defineEndpoint({
  operationId: "list_external_trigger_runs",
  method: "get",
  path: "/external-trigger/runs/",
  versions: next,
  describes: "tasks",
  response: z.array(Task),
});
export const createExternalTriggerRun = defineEndpoint({
  operationId: "create_external_trigger_run",
  method: "post",
  path: "/external-trigger/runs/",
  versions: next,
  body: ExternalTriggerRunRequest,
  status: 202,
  describes: "tasks",
  response: Task,
});
export const getExternalTriggerRun = defineEndpoint({
  operationId: "get_external_trigger_run",
  method: "get",
  path: "/external-trigger/runs/{task_id}",
  versions: next,
  params: Run,
  describes: "tasks",
  response: Task,
});
export const getExternalTriggerRunPath = defineEndpoint({
  operationId: "get_external_trigger_run_path",
  method: "get",
  path: "/external-trigger/runs/{task_id}/path",
  versions: next,
  params: Run,
  response: ExternalTriggerRunPath,
});
const change = <const Verb extends "cancel" | "pause" | "resume">(verb: Verb) =>
  defineEndpoint({
    operationId: `${verb}_external_trigger_run_endpoint`,
    method: "patch",
    path: `/external-trigger/runs/{task_id}/${verb}` as const,
    versions: next,
    params: Run,
    describes: "tasks",
    response: Task,
  });
export const cancelExternalTriggerRun = change("cancel");
export const pauseExternalTriggerRun = change("pause");
export const resumeExternalTriggerRun = change("resume");
