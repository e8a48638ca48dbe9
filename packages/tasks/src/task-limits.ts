export interface TaskLimits {
  /** Running `concurrent` tasks per lane; default 3. */
  readonly concurrent: number;
  /** Running `worker` tasks per lane; default 8, twice the cores of a Raspberry Pi. */
  readonly worker: number;
  /** Queued tasks per lane; default 100. */
  readonly waiting: number;
  /** Ended tasks that are kept; default 200, at least 1. */
  readonly ended: number;
}

export const defaultLimits: TaskLimits = { concurrent: 3, worker: 8, waiting: 100, ended: 200 };
