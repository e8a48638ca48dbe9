import type { TaskProgress } from "@openscan/protocol";

/**
 * Whether progress is worth a write to the disk (an SD card): enough time has passed, it went back, the total
 * changed, it cannot be measured but changed, the end is reached, or it grew by a step of 5 % (at least 1).
 *
 * @param last what was written last and how long ago
 */
export function progressDue(
  progress: TaskProgress,
  last: { readonly progress: TaskProgress; readonly ageMs: number } | undefined,
  intervalMs: number,
): boolean {
  if (!last || last.ageMs >= intervalMs) return true;
  const { current, total, message } = progress;
  const before = last.progress;
  if (current < before.current || total !== before.total) return true;
  if (total <= 0) return current !== before.current || message !== before.message;
  return current >= total || current - before.current >= Math.max(1, 0.05 * total);
}
