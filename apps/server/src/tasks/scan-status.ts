import { type Scan, ScanError, type Task } from "@openscan/protocol";
import type { Emitter, Logger } from "@openscan/runtime";
import type { TaskEvent } from "@openscan/tasks";
import type { ScanAddress } from "../projects/layout.js";
import type { ProjectStore } from "../projects/project-store.js";
import { scanOf } from "../projects/scans.js";
import { scanTaskType } from "./scan-task.js";
import { stackingTaskType } from "./stacking-task.js";

/**
 * Keeps what scans tell of their tasks in step with the tasks, whoever changed them: status, task and error of the
 * scan itself, and of its focus stacking. In memory a scan has changed before the task's next step begins.
 */
export function followScanTasks(
  events: Emitter<TaskEvent>,
  store: ProjectStore,
  log: Logger,
): {
  /** Resolves when everything heard of is on the disk. */
  settled(): Promise<void>;
} {
  const writing = new Set<Promise<void>>();
  events.on((event) => {
    if (event.type !== "updated") return;
    const address = scanOf(event.task);
    const change = changes[event.task.task_type];
    if (!address || !change) return;
    const written = follow(store, address, change(event.task)).catch((err: unknown) => {
      log.error({ err, ...address, task: event.task.id }, "the status of a scan was not saved");
    });
    const tracked = written.finally(() => writing.delete(tracked));
    writing.add(tracked);
  });
  return {
    async settled() {
      await Promise.all(writing);
    },
  };
}

type Change = (scan: Scan) => Partial<Scan>;

const changes: Readonly<Record<string, (task: Task) => Change>> = {
  [scanTaskType]: (task) => (scan) => {
    if (scan.status === "completed" || !isOwner(task, scan)) return {};
    return {
      status: task.status,
      task_id: task.id,
      system_message: task.status === "error" ? task.error : whyPaused(task, scan),
    };
  },
  [stackingTaskType]: (task) => (scan) => {
    if (!tellsOfStacking(task, scan)) return {};
    return { stacking_task_status: { task_id: task.id, status: task.status } };
  },
};

/** The scan's newest stacking task does. When a server starts, it is told of the older ones too, in any state. */
function tellsOfStacking({ id, status }: Task, { stacking_task_status: known }: Scan): boolean {
  if (known?.status == null || status === "pending") return true;
  // Killed before the task's record was written: its photos are all there, see `loadScan`.
  if (known.status === "completed" && status === "interrupted") return false;
  return known.task_id == null ? known.status === status : known.task_id === id;
}

/** A scan that paused itself says why until it goes on. */
function whyPaused(task: Task, scan: Scan): string | null {
  return task.status === "paused" ? scan.system_message : null;
}

/** A new task takes a scan over unless another one still has it. */
function isOwner(task: Task, scan: Scan): boolean {
  if (scan.task_id === task.id) return true;
  const isTaken = scan.task_id !== null && ["pending", "running", "paused"].includes(scan.status);
  return task.status === "pending" && !isTaken;
}

async function follow(store: ProjectStore, { project, index }: ScanAddress, change: Change): Promise<void> {
  try {
    const scan = store.scan(project, index);
    const changed = Object.entries(change(scan)).some(
      ([name, value]) => JSON.stringify(scan[name as keyof Scan]) !== JSON.stringify(value),
    );
    // Most events only report progress.
    if (changed) await store.updateScan(project, index, change);
  } catch (error) {
    // Tasks outlive the scans they belonged to.
    if (error instanceof ScanError && error.code === "not_found") return;
    throw error;
  }
}
