import type { LiveTask, Task } from "@openscan/protocol";

/** A task that waits, unless `task` says otherwise. */
export function newTask(id: string, createdAt: string, task: Partial<Task>): LiveTask {
  return {
    id,
    name: "scan_task",
    task_type: "scan_task",
    is_exclusive: false,
    is_blocking: false,
    status: "pending",
    progress: { current: 0, total: 0, message: "" },
    result: null,
    error: null,
    created_at: createdAt,
    started_at: null,
    completed_at: null,
    run_args: [],
    run_kwargs: {},
    ...task,
    revision: 1,
  };
}
