import { z } from "zod";
import { defineEndpoint, filledIn } from "./endpoint.js";
import { Timestamp } from "./scalars.js";

export const TaskStatus = z.enum([
  "pending",
  "running",
  "paused",
  "completed",
  "cancelled",
  "error",
  "interrupted",
]);
export type TaskStatus = z.output<typeof TaskStatus>;

/** States that a task leaves only by a restart. */
export const terminalStatuses: ReadonlySet<TaskStatus> = new Set<TaskStatus>([
  "completed",
  "cancelled",
  "error",
  "interrupted",
]);

export const TaskProgress = z.object({
  current: z.number().default(0),
  total: z.number().default(0).describe("0 = unknown"),
  message: z.string().default(""),
});
export type TaskProgress = z.output<typeof TaskProgress>;

export const Task = z.object({
  id: z.string().meta(filledIn),
  name: z.string(),
  task_type: z.string(),
  is_exclusive: z.boolean().default(false),
  is_blocking: z.boolean().default(false).describe("runs on a worker thread"),
  status: TaskStatus.default("pending"),
  progress: TaskProgress.prefault({}),
  result: z.unknown().default(null),
  error: z.string().nullable().default(null),
  created_at: Timestamp.meta(filledIn),
  started_at: Timestamp.nullable().default(null),
  completed_at: Timestamp.nullable().default(null),
  run_args: z.array(z.unknown()).default([]).meta({
    default: undefined,
    description: "positional arguments as they were at creation, without secrets",
  }),
  run_kwargs: z
    .record(z.string(), z.unknown())
    .default({})
    .meta({ default: undefined, description: "keyword arguments as they were at creation, without secrets" }),
});
export type Task = z.output<typeof Task>;

/** A task was created, changed its status or reported progress. */
export const TaskUpdate = z.object({ type: z.literal("task.update"), task: Task });
export type TaskUpdate = z.output<typeof TaskUpdate>;

const TaskId = z.object({ task_id: z.string() });

export const listTasks = defineEndpoint({
  operationId: "get_all_tasks",
  method: "get",
  path: "/tasks/",
  describes: "tasks",
  response: z.array(Task),
});
export const getTask = defineEndpoint({
  operationId: "get_task_status",
  method: "get",
  path: "/tasks/{task_id}",
  params: TaskId,
  describes: "tasks",
  response: Task,
});
export const createTask = defineEndpoint({
  operationId: "create_task",
  method: "post",
  path: "/tasks/{task_name}",
  params: z.object({ task_name: z.string() }),
  body: z
    .object({ args: z.array(z.unknown()).default([]), kwargs: z.record(z.string(), z.unknown()).default({}) })
    .prefault({}),
  status: 202,
  describes: "tasks",
  response: Task,
});
export const cancelTask = defineEndpoint({
  operationId: "cancel_task",
  method: "delete",
  path: "/tasks/{task_id}",
  params: TaskId,
  describes: "tasks",
  response: Task,
});
export const deleteTask = defineEndpoint({
  operationId: "delete_task",
  method: "delete",
  path: "/tasks/{task_id}/cleanup",
  params: TaskId,
  status: 204,
  response: z.undefined(),
});
export const pauseTask = defineEndpoint({
  operationId: "pause_task",
  method: "post",
  path: "/tasks/{task_id}/pause",
  params: TaskId,
  describes: "tasks",
  response: Task,
});
export const resumeTask = defineEndpoint({
  operationId: "resume_task",
  method: "post",
  path: "/tasks/{task_id}/resume",
  params: TaskId,
  describes: "tasks",
  response: Task,
});
