import { expect, test } from "vitest";
import { DistanceGrid } from "./distance-grid.js";
import { Random } from "./random.js";
import {
  BOUNDING_RADIUS,
  OBJECT_HALF_EDGE,
  objectDistance,
  PLATE,
  plateDistance,
  surfaceDistance,
} from "./shape.js";
import { surfacePoints } from "./surface-points.js";
import { addScaled, length3, normalize, type Vector } from "./vector.js";

const points = surfacePoints(600);
const random = new Random(3);
const somewhere = (halfEdge: number): Vector => {
  const coordinate = () => (2 * random.unit() - 1) * halfEdge;
  return [coordinate(), coordinate(), coordinate()];
};

test("the distance to the object never promises more room than there is", () => {
  // Two points cannot differ more in distance to the surface than they are apart.
  let steepest = 0;
  for (let i = 0; i < 20_000; i++) {
    const a = somewhere(40);
    const b = addScaled(a, normalize(somewhere(1)), 0.5);
    if (objectDistance(...a) < -0.5) continue;
    steepest = Math.max(steepest, Math.abs(objectDistance(...a) - objectDistance(...b)) / 0.5);
  }
  expect(steepest).toBeLessThan(1.05);
});

test("the grid agrees with the shape near its surface and is a lower bound away from it", () => {
  const grid = new DistanceGrid();
  let [rounding, excess, emptiest] = [0, 0, 99];
  for (let i = 0; i < 20_000; i++) {
    const point = somewhere(OBJECT_HALF_EDGE);
    const exact = objectDistance(...point);
    const stored = grid.at(...point);
    if (Math.abs(exact) < 1) rounding = Math.max(rounding, Math.abs(stored - exact));
    if (exact > 0) excess = Math.max(excess, stored - exact);
    if (exact > 2) emptiest = Math.min(emptiest, stored);
  }
  expect(rounding).toBeLessThan(0.12);
  expect(excess).toBeLessThan(0.12);
  expect(emptiest).toBeGreaterThan(0);
});

test("the object stands on the plate, about 55 mm tall, within its bounds", () => {
  let [top, bottom] = [-99, 99];
  for (let i = 0; i < 40_000; i++) {
    const [x, y, z] = somewhere(44);
    if (objectDistance(x, y, z) > 0) continue;
    expect(Math.max(Math.abs(x), Math.abs(y), Math.abs(z))).toBeLessThan(OBJECT_HALF_EDGE);
    top = Math.max(top, z);
    bottom = Math.min(bottom, z);
  }
  expect(top - PLATE.top).toBeGreaterThan(50);
  expect(top - PLATE.top).toBeLessThan(60);
  expect(bottom).toBeLessThan(PLATE.top);
  expect(bottom).toBeGreaterThan(PLATE.bottom);
});

test("the plate's distance is exact", () => {
  expect(plateDistance(0, 0, PLATE.top + 5)).toBeCloseTo(5, 12);
  expect(plateDistance(10, 0, PLATE.bottom - 2)).toBeCloseTo(2, 12);
  expect(plateDistance(PLATE.radius + 3, 0, -28)).toBeCloseTo(3, 12);
  expect(plateDistance(0, PLATE.radius + 3, PLATE.top + 4)).toBeCloseTo(5, 12);
  expect(plateDistance(0, 0, -28)).toBeCloseTo(-2, 12);
});

test("surface points lie on the surface, on object and plate, all around", () => {
  for (const point of points) {
    expect(Math.abs(surfaceDistance(point))).toBeLessThan(0.01);
    expect(length3(...point)).toBeLessThan(BOUNDING_RADIUS);
  }
  const onPlate = points.filter(([x, y, z]) => plateDistance(x, y, z) < 0.01).length;
  expect(onPlate).toBeGreaterThan(100);
  expect(onPlate).toBeLessThan(500);
  for (const [sx, sy] of [
    [1, 1],
    [1, -1],
    [-1, 1],
    [-1, -1],
  ] as const) {
    expect(points.filter(([x, y]) => x * sx > 0 && y * sy > 0).length).toBeGreaterThan(60);
  }
  expect(surfacePoints(600)).toEqual(points);
});

test("half a millimetre off the surface is half a millimetre", () => {
  const errors = points.map((point) => {
    const h = 0.01;
    const at = (x: number, y: number, z: number) =>
      surfaceDistance([point[0] + x, point[1] + y, point[2] + z]);
    const normal = normalize([
      at(h, 0, 0) - at(-h, 0, 0),
      at(0, h, 0) - at(0, -h, 0),
      at(0, 0, h) - at(0, 0, -h),
    ]);
    return Math.abs(surfaceDistance(addScaled(point, normal, 0.5)) - 0.5);
  });
  expect(errors.sort((a, b) => a - b)[Math.floor(errors.length * 0.95)]).toBeLessThan(0.05);
});
