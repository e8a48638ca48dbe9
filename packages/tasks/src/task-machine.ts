import { ScanError, type Task, type TaskProgress, type TaskStatus } from "@openscan/protocol";
import { frozenJson } from "./frozen-json.js";

const active = ["pending", "running", "paused"] as const;
const stopped = ["cancelled", "error", "interrupted"] as const;

/** A task record is never changed: each transition makes a new frozen one, which is what events carry. */
function become(task: Task, from: readonly TaskStatus[], status: TaskStatus, changes: Partial<Task>): Task {
  if (!from.includes(task.status)) {
    throw new ScanError("internal", `task ${task.id} cannot become ${status}: it is ${task.status}`);
  }
  return Object.freeze({ ...task, ...changes, status });
}

const noProgress: TaskProgress = Object.freeze({ current: 0, total: 0, message: "" });

const fresh = {
  status: "pending",
  progress: noProgress,
  result: null,
  error: null,
  started_at: null,
  completed_at: null,
} as const;

export function created(
  task: Pick<Task, "id" | "name" | "is_exclusive" | "is_blocking" | "created_at" | "run_args" | "run_kwargs">,
): Task {
  return Object.freeze({ ...task, task_type: task.name, ...fresh });
}

export function started(task: Task, at: string): Task {
  return become(task, ["pending"], "running", { started_at: at });
}

export function reported(task: Task, { current, total, message }: TaskProgress): Task {
  return become(task, ["running"], "running", { progress: Object.freeze({ current, total, message }) });
}

/** @param message why, if it was not asked for */
export function paused(task: Task, message = "Task paused."): Task {
  return become(task, ["running"], "paused", { progress: withMessage(task, message) });
}

export function resumed(task: Task): Task {
  return become(task, ["paused"], "running", { progress: withMessage(task, "Task resumed.") });
}

/** @throws TypeError when the result is not JSON */
export function completed(task: Task, result: unknown, at: string): Task {
  const progress = Object.freeze({ ...task.progress, current: task.progress.total });
  return become(task, ["running", "paused"], "completed", {
    progress,
    result: frozenJson(result ?? null, "result"),
    completed_at: at,
  });
}

export function failed(task: Task, error: string, at: string): Task {
  return become(task, ["running", "paused"], "error", { error, completed_at: at });
}

/** @param at `null` while the body still unwinds; `unwound` then adds the time */
export function cancelled(task: Task, error: string, at: string | null): Task {
  return become(task, active, "cancelled", { error, completed_at: at });
}

export function unwound(task: Task, at: string): Task {
  return become(task, ["cancelled"], "cancelled", { completed_at: at });
}

/** How a body ended. */
export type Outcome = { readonly result: unknown } | { readonly error: unknown };

/** A task whose body has ended; one that had been stopped before stays so, whatever the outcome. */
export function concluded(task: Task, outcome: Outcome, at: string): Task {
  if (task.status === "interrupted") return task;
  if (task.status === "cancelled") return unwound(task, at);
  if ("error" in outcome) return failed(task, textOf(outcome.error), at);
  try {
    return completed(task, outcome.result, at);
  } catch (cause) {
    return failed(task, textOf(cause), at);
  }
}

export function interrupted(task: Task): Task {
  return become(task, active, "interrupted", { error: "Task was interrupted by a shutdown." });
}

export function restarted(task: Task): Task {
  return become(task, stopped, "pending", fresh);
}

/** Whether a restart is possible: it ended without having completed. */
export function isStopped({ status }: Task): boolean {
  return stopped.some((other) => other === status);
}

/** A record of an earlier process as this process may list it; the same object if nothing had to change. */
export function restored(task: Task, typeIsKnown: boolean, at: string): Task {
  if (!typeIsKnown) {
    const error = `Task type "${task.task_type}" is not registered.`;
    return task.status === "error" && task.error === error
      ? task
      : become(task, [...active, ...stopped], "error", { error, completed_at: task.completed_at ?? at });
  }
  // Killed while its body unwound: nothing else would ever end it.
  if (task.status === "cancelled" && task.completed_at === null) return unwound(task, at);
  // A pending task is not queued again: after a power cut motors must not start by themselves.
  return isStopped(task) ? task : interrupted(task);
}

function textOf(cause: unknown): string {
  return cause instanceof Error ? cause.message || cause.name : String(cause);
}

function withMessage(task: Task, message: string): TaskProgress {
  return Object.freeze({ ...task.progress, message });
}
