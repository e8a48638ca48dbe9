export type { Concurrency } from "./lane.js";
export { parameters } from "./parameters.js";
export { TaskInterrupted } from "./task-interrupted.js";
export { TaskPreempted } from "./task-preempted.js";
export type { TaskEvent } from "./task-book.js";
export type { TaskLimits } from "./task-limits.js";
export { TaskManager, type TaskManagerOptions } from "./task-manager.js";
export { FileTaskStore, type StoredTask, type TaskStore } from "./task-store.js";
export {
  type Arguments,
  defineTask,
  type LaneName,
  type TaskBody,
  type TaskContext,
  type TaskDefinition,
  type TaskType,
} from "./task-type.js";
export {
  defineWorkerTask,
  runInWorker,
  type WorkerOptions,
  type WorkerTaskDefinition,
} from "./worker-task.js";
export type { SpawnWorker, WorkerEvent, WorkerThread } from "./worker-thread.js";
export type { WorkerCommand, WorkerReply } from "./worker-messages.js";
