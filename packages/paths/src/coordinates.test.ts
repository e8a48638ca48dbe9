import fc from "fast-check";
import { expect, test } from "vitest";
import { cartesianToPolar, polarToCartesian } from "./index.js";

test.each([
  [
    { theta: 0, fi: 0, r: 2 },
    { x: 0, y: 0, z: 2 },
  ],
  [
    { theta: 90, fi: 0, r: 2 },
    { x: 2, y: 0, z: 0 },
  ],
  [
    { theta: 90, fi: 90, r: 2 },
    { x: 0, y: 2, z: 0 },
  ],
  [
    { theta: 180, fi: 0, r: 2 },
    { x: 0, y: 0, z: -2 },
  ],
  [
    { theta: 90, fi: 270, r: 2 },
    { x: 0, y: -2, z: 0 },
  ],
])("%o is %o and back", (polar, cartesian) => {
  const there = polarToCartesian(polar);
  expect(there.x).toBeCloseTo(cartesian.x, 12);
  expect(there.y).toBeCloseTo(cartesian.y, 12);
  expect(there.z).toBeCloseTo(cartesian.z, 12);
  const back = cartesianToPolar(there);
  expect(back.theta).toBeCloseTo(polar.theta, 9);
  expect(back.fi).toBeCloseTo(polar.fi, 9);
  expect(back.r).toBeCloseTo(polar.r, 12);
});

test("the origin and the axis have no azimuth", () => {
  expect(cartesianToPolar({ x: 1e-11, y: 0, z: 0 })).toEqual({ theta: 0, fi: 0, r: 0 });
  expect(cartesianToPolar({ x: -1e-11, y: 1e-11, z: -5 })).toEqual({ theta: 180, fi: 0, r: 5 });
});

test("an azimuth just below the x axis stays below 360", () => {
  const { fi } = cartesianToPolar({ x: 1, y: -1e-18, z: 0 });
  expect(fi).toBeGreaterThanOrEqual(0);
  expect(fi).toBeLessThan(360);
  expect(Object.is(cartesianToPolar({ x: 1, y: -0, z: 0 }).fi, 0)).toBe(true);
});

test("property: polar to cartesian and back is the same direction", () => {
  const angles = fc.record({
    theta: fc.double({ min: 0.01, max: 179.99, noNaN: true }),
    fi: fc.double({ min: 0, max: 359.999, noNaN: true }),
    r: fc.double({ min: 0.5, max: 1000, noNaN: true }),
  });
  fc.assert(
    fc.property(angles, (polar) => {
      const back = cartesianToPolar(polarToCartesian(polar));
      expect(back.theta).toBeCloseTo(polar.theta, 6);
      const turn = Math.abs(back.fi - polar.fi);
      expect(Math.min(turn, 360 - turn)).toBeCloseTo(0, 6);
      expect(back.r).toBeCloseTo(polar.r, 8);
    }),
  );
});
