import fc from "fast-check";
import { expect } from "vitest";
import { type Outcome, runSchedule } from "./run-schedule.js";
import type { Name } from "./scanner.js";
import type { Schedule } from "./schedule.js";
import { schedules } from "./schedules.js";

type Counts = Outcome["counts"];

/** Over all files; OPENSCAN_SCHEDULES makes it more or fewer. */
const total = Number(process.env["OPENSCAN_SCHEDULES"] ?? 20_000);
/** CI repeats what it has proven; `OPENSCAN_SEED=random` looks for more. */
const seed = process.env["OPENSCAN_SEED"] ?? "20261129";
const shares: Readonly<Record<Name, number>> = { tasks: 0.6, device: 0.4 };

export const numberOfSchedules = (namespace: Name): number => Math.ceil(total * shares[namespace]);

/**
 * Runs random schedules and the examples. A failure prints its seed: `OPENSCAN_SEED=… npx vitest run …` repeats it.
 *
 * @returns what happened in them
 */
export async function checkSchedules(namespace: Name, examples: readonly Schedule[]): Promise<Counts> {
  const counts: Record<string, number> = {};
  await fc.assert(
    fc.asyncProperty(schedules(namespace), async (schedule) => {
      const outcome = await runSchedule(schedule);
      expect(outcome.problems).toEqual([]);
      for (const [name, count] of Object.entries(outcome.counts)) counts[name] = (counts[name] ?? 0) + count;
    }),
    {
      numRuns: numberOfSchedules(namespace),
      examples: examples.map((example): [Schedule] => [example]),
      ...(seed === "random" ? {} : { seed: Number(seed) }),
    },
  );
  return counts as Counts;
}

/** A property says nothing about what its schedules never lead to. */
export function neverHappened(counts: Counts): readonly string[] {
  if (total < 1000) return [];
  return Object.entries(counts)
    .filter(([, count]) => count === 0)
    .map(([name]) => name);
}
