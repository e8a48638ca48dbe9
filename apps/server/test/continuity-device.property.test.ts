import { expect, test } from "vitest";
import { checkSchedules, neverHappened, numberOfSchedules } from "./support/continuity/check-schedules.js";
import { deviceExamples } from "./support/continuity/examples.js";

test(`device, ${numberOfSchedules("device")} schedules: state right at the end, every fact once and in order, every loss noticed`, async () => {
  const counts = await checkSchedules("device", deviceExamples);
  expect(neverHappened(counts)).toEqual([]);
}, 3_600_000);
