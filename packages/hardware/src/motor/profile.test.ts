import fc from "fast-check";
import { expect, test } from "vitest";
import { planSteps } from "./profile.js";

const slow = { acceleration: 20_000, max_speed: 7500 };

// Vectors of the device API reference: 3200 steps a rotation, 20000 steps/s², 7500 steps/s.
test.each([
  { degrees: 10, steps: 88, seconds: 0.132665 },
  { degrees: 180, steps: 1600, seconds: 0.565685 },
])("a move by $degrees degrees takes $seconds s", ({ steps, seconds }) => {
  expect(planSteps(steps, slow).durationMs / 1000).toBeCloseTo(seconds, 6);
});

test("a long move reaches full speed and keeps it", () => {
  const profile = planSteps(20_000, { acceleration: 20_000, max_speed: 5000 });
  // 625 steps up, 625 down, 18750 at 5000 steps/s; a quarter of a second for each ramp.
  expect(profile.durationMs).toBeCloseTo(1000 * (0.25 + 18_750 / 5000 + 0.25), 6);
  expect(profile.dueMs(10_001) - profile.dueMs(10_000)).toBeCloseTo(0.2, 9);
  expect(profile.stepsExecutedAt(250)).toBe(625);
});

test("D15: a single step is one pulse, due as the first of a ramp", () => {
  const profile = planSteps(1, { acceleration: 20_000, max_speed: 5000 });
  expect(profile.durationMs).toBeCloseTo(10, 9);
  expect(profile.stepsExecutedAt(9.99)).toBe(0);
  expect(profile.stepsExecutedAt(1e9)).toBe(1);
});

test("the first steps of a ramp follow the square root of time", () => {
  const profile = planSteps(1000, { acceleration: 20_000, max_speed: 5000 });
  expect([1, 2, 3].map((step) => profile.dueMs(step))).toEqual([
    expect.closeTo(10, 9),
    expect.closeTo(14.142136, 6),
    expect.closeTo(17.320508, 6),
  ]);
});

test("a motor too slow for a ramp steps evenly", () => {
  const profile = planSteps(3, { acceleration: 1000, max_speed: 1 });
  expect([1, 2, 3].map((step) => Math.round(profile.dueMs(step)))).toEqual([1001, 2001, 3001]);
});

test("no steps take no time", () => {
  expect(planSteps(0, slow)).toMatchObject({ steps: 0, durationMs: 0 });
  expect(planSteps(0, slow).stepsExecutedAt(1000)).toBe(0);
});

const speeds = fc.record({
  acceleration: fc.integer({ min: 1000, max: 80_000 }),
  max_speed: fc.integer({ min: 1, max: 7500 }),
});

test("every move makes exactly its steps, in order, never closer than full speed allows", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 3000 }), speeds, (steps, speed) => {
      const profile = planSteps(steps, speed);
      const shortest = 1000 / speed.max_speed - 1e-6;
      let closest = Number.POSITIVE_INFINITY;
      for (let step = 2; step <= steps; step++) {
        closest = Math.min(closest, profile.dueMs(step) - profile.dueMs(step - 1));
      }
      expect(closest).toBeGreaterThanOrEqual(Math.max(0.1, shortest));
      expect(profile.stepsExecutedAt(profile.durationMs)).toBe(steps);
      expect(profile.stepsExecutedAt(profile.durationMs - 1e-6)).toBe(steps - 1);
    }),
    { numRuns: 60 },
  );
});

test("looking up a moment and looking up a step agree", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 100_000 }),
      speeds,
      fc.double({ min: 0, max: 1, noNaN: true }),
      (steps, speed, part) => {
        const profile = planSteps(steps, speed);
        const ms = part * profile.durationMs;
        const done = profile.stepsExecutedAt(ms);
        if (done > 0) expect(profile.dueMs(done)).toBeLessThanOrEqual(ms);
        if (done < steps) expect(profile.dueMs(done + 1)).toBeGreaterThan(ms);
      },
    ),
  );
});

test("the duration is the estimate of two ramps and the stretch between them, to a step", () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 100_000 }), speeds, (steps, { acceleration, max_speed }) => {
      const fullRamp = Math.floor(max_speed ** 2 / (2 * acceleration));
      const triangular = 2 * fullRamp > steps;
      const ramp = triangular ? Math.floor(steps / 2) : fullRamp;
      const rampTime = triangular ? Math.sqrt((2 * ramp) / acceleration) : max_speed / acceleration;
      const estimate = 1000 * (2 * rampTime + (steps - 2 * ramp) / max_speed);
      const { durationMs } = planSteps(steps, { acceleration, max_speed });
      expect(Math.abs(durationMs - estimate)).toBeLessThanOrEqual(1000 * Math.sqrt(2 / acceleration));
    }),
  );
});
