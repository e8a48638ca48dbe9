import fc from "fast-check";
import { expect, test } from "vitest";
import { travelTime } from "./index.js";

const motor = { stepsPerRotation: 3200, acceleration: 20_000, maxSpeed: 7500 };

/** Recorded from the reference firmware. */
test.each([
  [10, 0.132665],
  [180, 0.565685],
  [0.1, 0],
  [0, 0],
])("%d degrees take %d s", (degrees, seconds) => {
  expect(travelTime(degrees, motor)).toBeCloseTo(seconds, 6);
});

test("a long way is travelled at full speed between two ramps", () => {
  // 32000 steps: 1406 up, 1406 down, 29188 at 7500 steps/s.
  expect(travelTime(3600, motor)).toBeCloseTo(0.75 + 29_188 / 7500, 9);
});

test("one step takes as long as two: the ramp needs a whole step each way", () => {
  expect(travelTime(0.12, motor)).toBe(travelTime(0.23, motor));
  expect(travelTime(0.12, motor)).toBeGreaterThan(0);
});

test("property: a longer way never takes less time, and never beats full speed", () => {
  const axis = fc.record({
    stepsPerRotation: fc.integer({ min: 1, max: 100_000 }),
    acceleration: fc.integer({ min: 1000, max: 80_000 }),
    maxSpeed: fc.integer({ min: 1, max: 7500 }),
  });
  const degrees = fc.double({ min: 0, max: 360, noNaN: true });
  fc.assert(
    fc.property(axis, degrees, degrees, (motion, a, b) => {
      const short = travelTime(Math.min(a, b), motion);
      const long = travelTime(Math.max(a, b), motion);

      expect(long).toBeGreaterThanOrEqual(short);
      const steps = Math.floor((Math.max(a, b) * motion.stepsPerRotation) / 360);
      expect(long).toBeGreaterThanOrEqual((steps - 1) / motion.maxSpeed);
    }),
  );
});

test.each([
  [-1, motor, "degrees must be a number of at least 0, not -1"],
  [Number.NaN, motor, "degrees must be a number of at least 0, not NaN"],
  [1, { ...motor, maxSpeed: 0 }, "axis.maxSpeed must be a number greater than 0, not 0"],
  [1, { ...motor, acceleration: -5 }, "axis.acceleration must be a number greater than 0, not -5"],
  [1, { ...motor, stepsPerRotation: 0 }, "axis.stepsPerRotation must be a number greater than 0, not 0"],
])("%d degrees with %o is refused", (degrees, axis, message) => {
  expect(() => travelTime(degrees, axis)).toThrow(new RangeError(message));
});
