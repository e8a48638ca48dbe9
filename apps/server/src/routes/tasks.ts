import {
  cancelTask,
  createTask,
  deleteTask,
  getTask,
  listTasks,
  pauseTask,
  resumeTask,
  ScanError,
  type Task,
} from "@openscan/protocol";
import type { TaskManager } from "@openscan/tasks";
import { type Route, route } from "../http/route.js";

export function taskRoutes(tasks: TaskManager): Route[] {
  const find = ({ task_id }: { task_id: string }): Task => {
    const task = tasks.get(task_id);
    if (!task) throw new ScanError("not_found", `task ${task_id} does not exist`);
    return task;
  };
  return [
    route(listTasks, () => tasks.list()),
    route(getTask, ({ params }) => find(params)),
    route(cancelTask, ({ params }) => tasks.cancel(params.task_id)),
    route(pauseTask, ({ params }) => tasks.pause(params.task_id)),
    route(resumeTask, ({ params }) => tasks.resume(params.task_id)),
    route(createTask, ({ params, body }) => tasks.create(params.task_name, body.args, body.kwargs)),
    route(deleteTask, async ({ params }) => {
      await tasks.delete(params.task_id);
      return undefined;
    }),
  ];
}
