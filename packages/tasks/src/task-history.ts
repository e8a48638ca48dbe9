import { isDeepStrictEqual } from "node:util";
import type { LiveTask, Task } from "@openscan/protocol";
import type { TaskEvent } from "./task-book.js";

/** A task status, with `cancelled` told apart by whether the body has unwound; `new` and `gone` frame its life. */
type Phase = Exclude<Task["status"], "cancelled"> | "cancelling" | "cancelled" | "new" | "gone";

/**
 * What each phase requires of the event that follows. It is written from the specification of the event sequences,
 * not from the task machine, which it is meant to check.
 */
const allowed: Readonly<Record<Phase, readonly Phase[]>> = {
  new: ["pending"],
  pending: ["running", "cancelled", "interrupted"],
  running: ["running", "paused", "completed", "cancelling", "error", "interrupted"],
  paused: ["running", "completed", "cancelling", "error", "interrupted"],
  cancelling: ["cancelled"],
  cancelled: ["pending", "gone"],
  completed: ["gone"],
  error: ["pending", "gone"],
  interrupted: ["pending", "gone"],
  gone: [],
};

/**
 * Checks the events of one task, from its creation on, against the sequences that a client may rely on.
 *
 * @returns what is wrong with the first event that may not be there, or undefined
 */
export function historyProblem(events: readonly TaskEvent[]): string | undefined {
  let phase: Phase = "new";
  let before: LiveTask | undefined;
  for (const [index, event] of events.entries()) {
    const next = phaseOf(event);
    const legal = allowed[phase].includes(next);
    const problem = legal
      ? event.type === "updated" && contentProblem(event.task, before, next)
      : `after ${phase}`;
    if (problem) return `event ${index} (${next}): ${problem}`;
    phase = next;
    if (event.type === "updated") before = event.task;
  }
  return;
}

function phaseOf(event: TaskEvent): Phase {
  if (event.type === "deleted") return "gone";
  const { status, completed_at } = event.task;
  return status === "cancelled" && completed_at === null ? "cancelling" : status;
}

function contentProblem(task: LiveTask, before: LiveTask | undefined, phase: Phase): string | false {
  if (!Object.isFrozen(task) || !Object.isFrozen(task.progress)) return "the snapshot is not frozen";
  if (before && !sameIdentity(task, before)) return "the identity changed";
  if (before && task.revision <= before.revision)
    return `after revision ${before.revision} comes ${task.revision}`;
  const { progress, result, error, started_at, completed_at } = task;
  const blank = progress.current === 0 && progress.total === 0 && progress.message === "";
  if (phase === "pending" && (!blank || started_at !== null)) return "a pending task is not fresh";
  if (result !== null && phase !== "completed") return "a result before the end";
  const failed = ["cancelling", "cancelled", "error", "interrupted"].includes(phase);
  if ((error !== null) !== failed) return `error is ${error}`;
  const ended = ["cancelled", "completed", "error"].includes(phase);
  if ((completed_at !== null) !== ended) return `completed_at is ${completed_at}`;
  if (!before) return false;
  return startProblem(task, before) || progressProblem(task, before, phase);
}

function sameIdentity(a: Task, b: Task): boolean {
  const identity = ({ id, name, task_type, is_exclusive, is_blocking, created_at }: Task) => [
    id,
    name,
    task_type,
    is_exclusive,
    is_blocking,
    created_at,
  ];
  return isDeepStrictEqual([identity(a), a.run_args, a.run_kwargs], [identity(b), b.run_args, b.run_kwargs]);
}

function startProblem({ status, started_at }: Task, before: Task): string | false {
  if (status === "pending") return false;
  if (before.status !== "pending") return started_at !== before.started_at && "started_at changed";
  return (started_at !== null) !== (status === "running") && `started_at is ${started_at}`;
}

/** Progress changes by reports only; a pause and its end replace the message, completion fills it up. */
function progressProblem({ progress }: Task, { progress: old, status }: Task, phase: Phase): string | false {
  if (phase === "pending" || (phase === "running" && status === "running")) return false;
  if (phase === "completed") return progress.current !== progress.total && "completed below its total";
  if (progress.current !== old.current || progress.total !== old.total) return "progress changed by itself";
  const replaced = phase === "paused" || (phase === "running" && status === "paused");
  return (progress.message !== old.message) !== replaced && `the message is "${progress.message}"`;
}
