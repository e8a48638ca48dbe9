import { ScanError, type Task } from "@openscan/protocol";
import type { TaskManager } from "@openscan/tasks";

/**
 * New controllers would take the motors away from a task that uses them, also from one that is paused, or that was
 * cancelled and drives home.
 *
 * @throws ScanError `conflict`
 */
export function requireNoScan(tasks: TaskManager, action: string): void {
  const task = userOfScanner(tasks);
  if (task) throw new ScanError("conflict", inUse(task, action));
}

/**
 * What moves motors by hand would spoil the next photo; a paused scan moves them back before it takes one.
 *
 * @throws ScanError `busy`
 */
export function requireMotorsFree(tasks: TaskManager, action: string): void {
  const task = userOfScanner(tasks);
  if (task && task.status !== "paused") throw new ScanError("busy", `${inUse(task, action)}; pause it first`);
}

function userOfScanner(tasks: TaskManager): Task | undefined {
  return tasks.list().find(({ id, is_exclusive }) => is_exclusive && tasks.isWorking(id));
}

function inUse({ id, name }: Task, action: string): string {
  return `cannot ${action} while task ${id} (${name}) is at work`;
}
