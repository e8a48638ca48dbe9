import { type Scan, ScanError, type Task, terminalStatuses } from "@openscan/protocol";
import type { TaskManager } from "@openscan/tasks";
import { photoStacks } from "../tasks/photo-stacks.js";
import { stackingTaskType } from "../tasks/stacking-task.js";
import type { ProjectStore } from "./project-store.js";
import { scanOf } from "./scans.js";

interface StackingsOptions {
  readonly store: ProjectStore;
  readonly tasks: TaskManager;
}

/** What clients do with the focus stacking of scans. */
export class Stackings {
  readonly #store: ProjectStore;
  readonly #tasks: TaskManager;

  constructor({ store, tasks }: StackingsOptions) {
    this.#store = store;
    this.#tasks = tasks;
  }

  /**
   * Queues the stacking of a scan, or lets the one go on that a shutdown has interrupted. One that has not ended is
   * answered as it is.
   *
   * @throws ScanError `not_found` for the project or scan, `conflict` when it cannot be stacked now
   */
  async start(project: string, index: number): Promise<Task> {
    const scan = this.#store.scan(project, index);
    const task = this.#task(scan);
    if (task && !terminalStatuses.has(task.status)) return task;
    requireStackable(scan, this.#tasks);
    if (task?.status === "interrupted") return this.#tasks.restart(task.id);
    return this.#tasks.create(stackingTaskType, [scan.project_name, scan.index]);
  }

  /** @throws ScanError `not_found` for the project or scan, `conflict` when the scan has no stacking task */
  pause(project: string, index: number): Task {
    return this.#tasks.pause(this.#requireTask(project, index).id);
  }

  /** Lets a paused one go on, and one that a shutdown has interrupted. @throws as `pause` */
  resume(project: string, index: number): Task {
    return this.#tasks.resume(this.#requireTask(project, index).id);
  }

  /** Ends it. Photos that are stacked already stay: a later start makes those that are missing. @throws as `pause` */
  cancel(project: string, index: number): Task {
    return this.#tasks.cancel(this.#requireTask(project, index).id);
  }

  /** After a restart of the process a scan has forgotten its task, but the task not its scan. */
  #task(scan: Scan): Task | undefined {
    const id = scan.stacking_task_status?.task_id;
    return (id ? this.#tasks.get(id) : undefined) ?? this.#tasks.list().findLast((task) => isOf(task, scan));
  }

  #requireTask(project: string, index: number): Task {
    const scan = this.#store.scan(project, index);
    const task = this.#task(scan);
    if (task) return task;
    throw new ScanError("conflict", `${label(scan)} has no focus stacking task`);
  }
}

/**
 * Photos that are still being saved would be left out, or read half.
 *
 * @throws ScanError `conflict` while a task photographs the scan, and when no focus stack of it is whole
 */
export function requireStackable(scan: Scan, tasks: TaskManager): void {
  const task = scan.task_id === null ? undefined : tasks.get(scan.task_id);
  if (task && (!terminalStatuses.has(task.status) || tasks.isWorking(task.id))) {
    throw new ScanError(
      "conflict",
      `${label(scan)} is being photographed: task ${task.id} is ${task.status}; finish or cancel it first`,
    );
  }
  if (photoStacks(scan).whole.length > 0) return;
  throw new ScanError("conflict", `${label(scan)} has no position with all photos of a focus stack`);
}

function isOf(task: Task, { project_name, index }: Scan): boolean {
  if (task.task_type !== stackingTaskType) return false;
  const address = scanOf(task);
  return address?.project === project_name && address.index === index;
}

function label({ project_name, index }: Scan): string {
  return `scan ${index} of project ${JSON.stringify(project_name)}`;
}
