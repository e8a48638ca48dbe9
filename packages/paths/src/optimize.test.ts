import fc from "fast-check";
import { expect, test } from "vitest";
import {
  fibonacciPath,
  nearestNeighborOrder,
  optimizeOrder,
  optimizingOrder,
  orderTime,
  type Travel,
} from "./index.js";

const ramp = { acceleration: 20_000, maxSpeed: 7500 };
const from = (theta: number, fi: number): Travel => ({
  start: { theta, fi },
  rotor: { ...ramp, stepsPerRotation: 48_000 },
  turntable: { ...ramp, stepsPerRotation: 3200 },
});
const scan = (points: number) =>
  fibonacciPath({ points, minTheta: 12, maxTheta: 125, minPhi: 0, maxPhi: 360, radius: 110 });
const raw = (count: number) => Array.from({ length: count }, (_, index) => index);

/** Recorded from the reference firmware. */
test.each([
  [from(90, 90), [4, 3, 2, 1, 0, 5, 6, 7, 8, 9]],
  [from(90, 0), [3, 4, 5, 6, 7, 8, 9, 2, 1, 0]],
])("nearest neighbour from %o", (travel, order) => {
  expect(nearestNeighborOrder(scan(10), travel)).toEqual(order);
});

test("defect 41: an order that nearest neighbour makes slower is kept as it was", () => {
  const travel = from(90, 90);
  const points = scan(10);
  expect(orderTime(points, nearestNeighborOrder(points, travel), travel)).toBeCloseTo(6.345247, 6);
  expect(orderTime(points, raw(10), travel)).toBeCloseTo(6.144533, 6);
  expect(optimizeOrder(points, travel)).toEqual(raw(10));
});

test("an order that nearest neighbour makes faster is taken", () => {
  const points = [
    { theta: 90, fi: 180 },
    { theta: 90, fi: 10 },
    { theta: 90, fi: 170 },
    { theta: 90, fi: 20 },
  ];
  expect(optimizeOrder(points, from(90, 0))).toEqual([1, 3, 2, 0]);
});

test("the turntable takes the shorter way, also from a start beyond one turn", () => {
  const points = [
    { theta: 90, fi: 100 },
    { theta: 90, fi: 350 },
  ];
  expect(optimizeOrder(points, from(90, 0))).toEqual([1, 0]);
  expect(optimizeOrder(points, from(90, 720))).toEqual([1, 0]);
});

test("bit by bit it is the same order, with a yield for each point", () => {
  const points = scan(30);
  const work = optimizingOrder(points, from(90, 90));
  let yields = 0;
  let step = work.next();
  for (; !step.done; step = work.next()) yields++;
  expect(yields).toBe(30);
  expect(step.value).toEqual(optimizeOrder(points, from(90, 90)));
});

test("equally near points keep their order", () => {
  const points = [
    { theta: 90, fi: 10 },
    { theta: 90, fi: 350 },
    { theta: 90, fi: 10 },
  ];
  expect(nearestNeighborOrder(points, from(90, 0))).toEqual([0, 2, 1]);
});

test("no points, one point", () => {
  expect(optimizeOrder([], from(90, 90))).toEqual([]);
  expect(optimizeOrder([{ theta: 3, fi: 4 }], from(90, 90))).toEqual([0]);
});

const direction = fc.record({
  theta: fc.double({ min: 0, max: 180, noNaN: true }),
  fi: fc.double({ min: 0, max: 360, noNaN: true }),
});
const axis = fc.record({
  stepsPerRotation: fc.integer({ min: 200, max: 60_000 }),
  acceleration: fc.integer({ min: 1000, max: 80_000 }),
  maxSpeed: fc.integer({ min: 1, max: 7500 }),
});
const anyTravel = fc.record({ start: direction, rotor: axis, turntable: axis });

test("property: a permutation that is never slower than the raw order", () => {
  fc.assert(
    fc.property(fc.array(direction, { maxLength: 40 }), anyTravel, (points, travel) => {
      const order = optimizeOrder(points, travel);
      expect([...order].sort((a, b) => a - b)).toEqual(raw(points.length));
      const spent = orderTime(points, order, travel);
      expect(spent).toBeLessThanOrEqual(orderTime(points, raw(points.length), travel));
    }),
  );
});

test("property: the same for the paths that scans use", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 150 }), anyTravel, (count, travel) => {
      const points = scan(count);
      const spent = orderTime(points, optimizeOrder(points, travel), travel);
      expect(spent).toBeLessThanOrEqual(orderTime(points, raw(points.length), travel));
    }),
  );
});

test("bad values are refused by name", () => {
  const travel = from(90, 90);
  const stuck = { ...travel, rotor: { ...travel.rotor, maxSpeed: 0 } };
  expect(() => optimizeOrder(scan(3), stuck)).toThrow(
    new RangeError("rotor.maxSpeed must be a number greater than 0, not 0"),
  );
  expect(() => optimizeOrder([{ theta: Number.NaN, fi: 0 }], travel)).toThrow(
    new RangeError("theta must be a finite number of degrees, not NaN"),
  );
  expect(() => orderTime(scan(3), [0, 3], travel)).toThrow(new RangeError("order names point 3 of 3"));
});
