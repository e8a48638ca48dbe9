import { expect, test } from "vitest";
import { checkSchedules, neverHappened, numberOfSchedules } from "./support/continuity/check-schedules.js";
import { tasksExamples } from "./support/continuity/examples.js";

test(`tasks, ${numberOfSchedules("tasks")} schedules: state right at the end, every fact once and in order, every loss noticed`, async () => {
  const counts = await checkSchedules("tasks", tasksExamples);
  expect(neverHappened(counts)).toEqual([]);
}, 3_600_000);
