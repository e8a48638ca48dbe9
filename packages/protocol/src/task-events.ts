import { z } from "zod";
import { exampleTask, taskId } from "./examples.js";
import { defineEvent } from "./namespace.js";
import { Task, TaskUpdate, terminalStatuses } from "./task.js";

/** A task as v1 streams and the `next` REST API show it. */
export const LiveTask = Task.extend({
  revision: z
    .int()
    .min(0)
    .describe("grows with every change of the task, within one epoch; the highest is right"),
});
export type LiveTask = z.output<typeof LiveTask>;

/** The task without what clients of the numbered APIs and of the legacy dialect do not know. */
export function legacyTask(live: LiveTask): Task {
  const { revision: _, ...task } = live;
  return task;
}

export const taskUpdate = defineEvent({
  schema: z.object({ type: z.literal("task.update"), task: LiveTask }),
  description:
    "A task was created, changed its status or reported progress. Creation (`pending`) and the end of a task are facts, everything between is state.",
  example: () => ({ type: "task.update" as const, task: { ...exampleTask(), revision: 14 } }),
  stateKey: ({ task }) =>
    task.status === "pending" || terminalStatuses.has(task.status) ? undefined : task.id,
  // A pause must not vanish between two reports of progress.
  merge: (older, newer) => (older.task.status === newer.task.status ? newer : undefined),
  id: ({ task }) => task.id,
  legacy: ({ type, task }): TaskUpdate => ({ type, task: legacyTask(task) }),
});

export const taskDeleted = defineEvent({
  schema: z.object({ type: z.literal("task.deleted"), id: z.string() }),
  description: "A task is gone from the list of tasks.",
  example: () => ({ type: "task.deleted" as const, id: taskId }),
  id: ({ id }) => id,
});

export const taskStalled = defineEvent({
  schema: z.object({
    type: z.literal("task.stalled"),
    id: z.string(),
    phase: z.string().describe("what the task was last known to do, for people"),
    seconds: z.number().describe("without any sign of progress"),
  }),
  description: "A running task has shown no progress for unusually long. Said once until it goes on.",
  example: () => ({
    type: "task.stalled" as const,
    id: taskId,
    phase: "12 of 100 positions photographed",
    seconds: 60,
  }),
  id: ({ id }) => id,
});

export const TasksSnapshot = z.object({
  type: z.literal("tasks.snapshot"),
  tasks: z.array(LiveTask),
  snapshot: z.literal(true),
});
export type TasksSnapshot = z.output<typeof TasksSnapshot>;
