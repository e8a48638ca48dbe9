import fc from "fast-check";
import { expect, test } from "vitest";
import { runSchedule } from "./support/continuity/run-schedule.js";
import { schedules } from "./support/continuity/schedule.js";

const runs = Number(process.env["OPENSCAN_SCHEDULES"] ?? 20_000);
const seed = process.env["OPENSCAN_SEED"];

test(`${runs} schedules: state right at the end, every fact once and in order, every loss noticed`, async () => {
  await fc.assert(
    fc.asyncProperty(schedules, async (schedule) => {
      expect(await runSchedule(schedule)).toEqual([]);
    }),
    { numRuns: runs, ...(seed === undefined ? {} : { seed: Number(seed) }) },
  );
}, 600_000);
