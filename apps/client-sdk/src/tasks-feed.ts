import type { Envelope, EventOf, LiveTask, Task } from "@openscan/protocol";
import { type Feed, must } from "./feed.js";

interface TaskUpdate {
  readonly type: "task.update";
  readonly task: Task & Partial<LiveTask>;
}
/** Servers of the legacy dialect give no envelope, and tasks no revision. */
export type TaskEvent = (TaskUpdate | Exclude<EventOf<"tasks">, { type: "task.update" }>) & Partial<Envelope>;

export const tasksFeed: Feed<readonly Task[], TaskEvent> = {
  name: "tasks",
  snapshot: ({ tasks }) => list(tasks),

  fold(tasks, message) {
    const event = message as unknown as TaskEvent;
    let state = tasks;
    if (event.type === "task.deleted") state = tasks.filter(({ id }) => id !== event.id);
    if (event.type === "task.update") {
      const { task } = event;
      must(typeof task?.id === "string", "the task's id");
      const index = tasks.findIndex(({ id }) => id === task.id);
      const known = tasks[index];
      if (!known) state = [...tasks, task];
      else if (!isOlder(task, known)) state = tasks.with(index, task);
    }
    return { state, event };
  },

  fetch: async (rest, signal) => list(await rest.request("GET", "/tasks/", { signal })),

  // Creation and the end of a task are facts, and the state before one is not the state after it.
  stateKey: (event) => (event.type === "task.update" ? event.task?.id : undefined),
  merge(older, newer) {
    const { status } = (newer as TaskUpdate).task;
    const isState = status === "running" || status === "paused";
    return isState && status === (older as TaskUpdate).task.status ? newer : undefined;
  },
};

function list(tasks: unknown): Task[] {
  must(Array.isArray(tasks), "the list of tasks");
  return tasks as Task[];
}

/**
 * The highest revision is right. Legacy servers have none: there an ended task changes again only by a restart,
 * which gives it a new `started_at`, so an unended record of the same run was overtaken by the REST answer.
 * Anything less certain is believed: the events that follow put it right, whereas a wrongly dropped one would be
 * missed for good.
 */
function isOlder(task: Task & Partial<LiveTask>, known: Task & Partial<LiveTask>): boolean {
  if (task.revision !== undefined && known.revision !== undefined) return task.revision < known.revision;
  return (
    known.started_at !== null &&
    known.started_at === task.started_at &&
    known.completed_at !== null &&
    task.completed_at === null
  );
}
