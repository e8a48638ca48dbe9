import fc from "fast-check";
import { expect, test } from "vitest";
import { type FibonacciOptions, fibonacciPath, unconstrainedFibonacci } from "./index.js";

const zone = (
  points: number,
  [minTheta, maxTheta]: [number, number],
  [minPhi, maxPhi]: [number, number],
): FibonacciOptions => ({ points, minTheta, maxTheta, minPhi, maxPhi, radius: 110 });

/** Recorded from the reference firmware. */
test.each([
  [
    zone(5, [12, 125], [0, 360]),
    "125/0; 100.698765/222.492236; 78.329354/84.984472; 53.82762/307.476708; 12/169.968944",
  ],
  [zone(3, [12, 125], [350, 10]), "125/350; 78.329354/2.36068; 12/354.72136"],
  [zone(1, [12, 125], [30, 200]), "78.329354/30"],
  [zone(3, [40, 80], [90, 90]), "80/90; 61.975679/90; 40/90"],
  [zone(4, [0, 180], [0, 360]), "180/0; 109.471221/222.492236; 70.528779/84.984472; 0/307.476708"],
])("%o", (options, expected) => {
  const path = fibonacciPath(options);
  const directions = expected.split("; ").map((pair) => pair.split("/").map(Number));
  expect(path).toHaveLength(directions.length);
  for (const [index, [theta, fi]] of directions.entries()) {
    expect(path[index]?.theta).toBeCloseTo(theta as number, 5);
    expect(path[index]?.fi).toBeCloseTo(fi as number, 5);
    expect(path[index]?.r).toBe(110);
  }
});

test("a zone of one direction gives one point, however many are asked for", () => {
  expect(fibonacciPath(zone(50, [70, 70], [30, 30]))).toEqual([
    { theta: expect.closeTo(70, 9), fi: 30, r: 110 },
  ]);
});

test("points on the same spot collapse", () => {
  // The phi zone is degenerate and the theta zone too thin for 40 different floating-point angles.
  const thin = fibonacciPath(zone(40, [90, 90 + 4e-14], [10, 10]));
  expect(thin.length).toBeLessThan(40);
  expect(new Set(thin.map(({ theta, fi }) => `${theta}/${fi}`)).size).toBe(thin.length);
});

test.each([
  [{ minTheta: -1 }, "minTheta must be from 0 to 180, not -1"],
  [{ maxTheta: 181 }, "maxTheta must be from 0 to 180, not 181"],
  [{ minTheta: 130 }, "minTheta 130 must not be greater than maxTheta 125"],
  [{ minPhi: -0.5 }, "minPhi must be from 0 to 360, not -0.5"],
  [{ maxPhi: 361 }, "maxPhi must be from 0 to 360, not 361"],
  [{ maxPhi: Number.NaN }, "maxPhi must be from 0 to 360, not NaN"],
  [{ points: 0 }, "points must be a whole number of at least 1, not 0"],
  [{ points: 2.5 }, "points must be a whole number of at least 1, not 2.5"],
  [{ radius: 0 }, "radius must be a number greater than 0, not 0"],
])("%o is refused", (wrong, message) => {
  expect(() => fibonacciPath({ ...zone(5, [12, 125], [0, 360]), ...wrong })).toThrow(new RangeError(message));
});

const anyZone = fc
  .record({
    points: fc.integer({ min: 1, max: 200 }),
    theta: fc.tuple(fc.integer({ min: 0, max: 180 }), fc.integer({ min: 0, max: 180 })),
    phi: fc.tuple(fc.integer({ min: 0, max: 360 }), fc.integer({ min: 0, max: 360 })),
  })
  .map(({ points, theta: [a, b], phi }) => zone(points, [Math.min(a, b), Math.max(a, b)], phi));

test("property: every point lies in its zone, and none twice", () => {
  fc.assert(
    fc.property(anyZone, (options) => {
      const path = fibonacciPath(options);
      const { minTheta, maxTheta, minPhi, maxPhi } = options;
      expect(path.length).toBeGreaterThan(0);
      expect(path.length).toBeLessThanOrEqual(options.points);
      expect(new Set(path.map(({ theta, fi }) => `${theta}/${fi}`)).size).toBe(path.length);
      const span = minPhi === maxPhi ? 0 : (((maxPhi - minPhi) % 360) + 360) % 360 || 360;
      for (const { theta, fi } of path) {
        expect(theta).toBeGreaterThanOrEqual(minTheta);
        expect(theta).toBeLessThanOrEqual(maxTheta);
        expect(fi).toBeGreaterThanOrEqual(0);
        expect(fi).toBeLessThan(360);
        const fromStart = (fi - minPhi + 720) % 360;
        // A rounding error may put a point just before the start: nearly a full turn away.
        if (fromStart < 360 - 1e-9) expect(fromStart).toBeLessThanOrEqual(span + 1e-9);
      }
    }),
  );
});

test("the unconstrained path starts as the reference's does", () => {
  const [first, second] = unconstrainedFibonacci(4);
  expect(first).toEqual({ x: expect.closeTo(0.661438, 6), y: 0, z: -0.75 });
  expect(second).toEqual({
    x: expect.closeTo(-0.713954, 5),
    y: expect.closeTo(0.654041, 5),
    z: expect.closeTo(-0.25, 9),
  });
  expect(unconstrainedFibonacci(1)).toEqual([{ x: 1, y: 0, z: 0 }]);
});

test("property: the unconstrained path lies on the unit sphere, in even steps of height", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 300 }), (count) => {
      const path = unconstrainedFibonacci(count);
      expect(path).toHaveLength(count);
      for (const [index, { x, y, z }] of path.entries()) {
        expect(Math.hypot(x, y, z)).toBeCloseTo(1, 9);
        expect(z).toBeCloseTo(1 / count - 1 + (2 * index) / count, 9);
      }
    }),
  );
});

test("no points is refused by name", () => {
  expect(() => unconstrainedFibonacci(0)).toThrow(
    new RangeError("count must be a whole number of at least 1, not 0"),
  );
});
