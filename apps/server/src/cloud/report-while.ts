import type { TaskProgress } from "@openscan/protocol";
import type { Clock } from "@openscan/runtime";

/**
 * Reports while a job goes on, twice a second at most, and how it has ended: a report for each chunk that passes would flood every client.
 * Has not ended before the job has.
 */
export async function* reportWhile<T>(
  job: Promise<T>,
  progress: () => TaskProgress,
  clock: Clock,
  intervalMs = 500,
): AsyncGenerator<TaskProgress, T, void> {
  let hasEnded = false;
  const end = job.then(
    () => {
      hasEnded = true;
    },
    () => {
      hasEnded = true;
    },
  );
  let told: TaskProgress | undefined;
  try {
    while (!hasEnded) {
      const now = progress();
      if (!isSame(now, told)) yield (told = { ...now });
      await interval(end, clock, intervalMs);
    }
  } finally {
    await end;
  }
  const result = await job;
  const last = progress();
  if (!isSame(last, told)) yield { ...last };
  return result;
}

async function interval(end: Promise<void>, clock: Clock, ms: number): Promise<void> {
  let cancel = () => {};
  const time = new Promise<void>((resolve) => {
    cancel = clock.after(ms, resolve);
  });
  await Promise.race([end, time]);
  cancel();
}

function isSame(one: TaskProgress, other: TaskProgress | undefined): boolean {
  return one.current === other?.current && one.total === other.total && one.message === other.message;
}
