import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  absoluteTarget,
  apart,
  degreesOf,
  isReachable,
  relativeTarget,
  stepsBetween,
  stepsFor,
  wrap,
} from "./angles.js";

const full = { min_angle: 0, max_angle: 360 };
const limited = { min_angle: 0, max_angle: 150 };
const gear = { steps_per_rotation: 3200, direction: 1 } as const;

describe("absolute targets", () => {
  test.each([
    [full, 370, 10],
    [full, -20, 340],
    [full, 360, 0],
    [limited, 90, 90],
    [limited, 450, 90],
    [limited, -20, 0],
    [limited, 200, 150],
    [limited, 340, 0],
    [limited, 360, 0],
    [{ min_angle: 10, max_angle: 360 }, 360, 360],
    [{ min_angle: 10, max_angle: 360 }, 0, 360],
    [{ min_angle: 90, max_angle: 90 }, 12, 90],
  ])("D14: within %j, %d becomes %d", (limits, angle, target) => {
    expect(absoluteTarget(angle, limits)).toBe(target);
  });

  test("always lie within the limits, and are kept when they do", () => {
    const angle = fc.double({ min: 0, max: 360, noNaN: true });
    fc.assert(
      fc.property(angle, angle, fc.double({ min: -1e4, max: 1e4, noNaN: true }), (a, b, asked) => {
        const limits = { min_angle: Math.min(a, b), max_angle: Math.max(a, b) };
        const target = absoluteTarget(asked, limits);
        expect(target).toBeGreaterThanOrEqual(limits.min_angle);
        expect(target).toBeLessThanOrEqual(limits.max_angle);
        if (isReachable(asked, limits)) expect(apart(target, asked)).toBeLessThan(1e-6);
      }),
    );
  });
});

test.each([
  [full, 350, 20, 10],
  [full, 0, -90, 270],
  [limited, 0, -90, 0],
  [limited, 100, 90, 150],
  [limited, 100, -30, 70],
])("within %j, from %d by %d ends at %d", (limits, angle, degrees, target) => {
  expect(relativeTarget(angle, degrees, limits)).toBe(target);
});

test.each([
  [full, -1e6, true],
  [limited, 150, true],
  [limited, 150.01, false],
  [limited, -0.01, false],
  [limited, 360, true],
  [limited, Number.NaN, false],
  [full, Number.POSITIVE_INFINITY, false],
])("within %j, %d is reachable: %s", (limits, angle, reachable) => {
  expect(isReachable(angle, limits)).toBe(reachable);
});

describe("steps", () => {
  test.each([
    [10, 88],
    [0.1, 0],
    [-0.1, 0],
    [-10, -88],
    [360, 3200],
  ])("%d degrees are %d steps", (degrees, steps) => {
    expect(stepsFor(degrees, gear)).toBe(steps);
    expect(stepsFor(degrees, { ...gear, direction: -1 })).toBe(-steps || 0);
  });

  test("a full circle is taken the shorter way, limits forbid that", () => {
    expect(stepsBetween(350, 10, { ...full, ...gear })).toBe(stepsFor(20, gear));
    expect(stepsBetween(10, 350, { ...full, ...gear })).toBe(stepsFor(-20, gear));
    expect(stepsBetween(0, 180, { ...full, ...gear })).toBe(1600);
    expect(stepsBetween(350, 10, { min_angle: 5, max_angle: 355, ...gear })).toBe(stepsFor(-340, gear));
  });

  test("there and back is the same number of steps, whatever floating point makes of the angle", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 200_000 }),
        fc.integer({ min: -5000, max: 5000 }),
        fc.double({ min: 0, max: 360, noNaN: true }),
        fc.constantFrom(1 as const, -1 as const),
        (steps_per_rotation, steps, start, direction) => {
          const motor = { steps_per_rotation, direction };
          const end = start + degreesOf(steps, motor);
          expect(stepsFor(start - end, motor)).toBe(-steps || 0);
        },
      ),
    );
  });
});

test("wrapping never gives 360 nor a negative angle", () => {
  expect(wrap(-1e-14)).toBe(0);
  expect(wrap(720)).toBe(0);
  expect(wrap(-90)).toBe(270);
});
