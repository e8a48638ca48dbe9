import type { Envelope, EventOf, LiveTask, Task } from "@openscan/protocol";
import { type Feed, type Invalid, isObject } from "./feed.js";

interface TaskUpdate {
  readonly type: "task.update";
  readonly task: Task & Partial<LiveTask>;
}
/** Servers of the legacy dialect give no envelope, and tasks no revision. */
export type TaskEvent = (TaskUpdate | Exclude<EventOf<"tasks">, { type: "task.update" }>) & Partial<Envelope>;

/** All tasks as they are now: after every (re)connection, and first of all to a late subscriber. */
export interface TasksResync {
  readonly type: "resync";
  readonly tasks: readonly Task[];
}

type Item = TaskEvent | TasksResync | Invalid;

export const tasksFeed: Feed<TaskEvent, TasksResync> = {
  name: "tasks",
  type: "task.update",
  isEvent: ({ task }) => isObject(task) && typeof task["id"] === "string",

  async resync(rest, signal) {
    const tasks = await rest.get<Task[]>("/tasks/", { signal });
    if (!Array.isArray(tasks)) throw new Error("GET /tasks/ answered something other than a list");
    return { type: "resync", tasks };
  },

  fold({ tasks }, { task }) {
    const known = tasks.find(({ id }) => id === task.id);
    if (!known) return { type: "resync", tasks: [...tasks, task] };
    if (isOlder(task, known)) return undefined;
    return { type: "resync", tasks: tasks.map((other) => (other === known ? task : other)) };
  },

  compact(items) {
    const newer = new Map<string, Task>();
    const kept: Item[] = [];
    const seen = { resync: false, invalid: false };
    for (const item of items.toReversed()) {
      if (item.type === "task.update") {
        const next = newer.get(item.task.id);
        newer.set(item.task.id, item.task);
        if (next?.status === item.task.status) continue;
      } else if (seen[item.type]) {
        continue;
      } else {
        seen[item.type] = true;
      }
      kept.push(item);
    }
    return kept.reverse();
  },
};

/**
 * An ended task changes again only by a restart, which gives it a new `started_at`. So an unended record of
 * the same run was overtaken by the REST answer. Anything less certain is delivered: the events that follow
 * it put it right, whereas a wrongly dropped one would be missed for good.
 */
function isOlder(task: Task, known: Task): boolean {
  return (
    known.started_at !== null &&
    known.started_at === task.started_at &&
    known.completed_at !== null &&
    task.completed_at === null
  );
}
