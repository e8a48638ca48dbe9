import { expect, test } from "vitest";
import { align, transform } from "./alignment.js";
import { fromQuaternion, type Quaternion, rotationBetween, toQuaternion, type Vector } from "./matrix.js";

const points: Vector[] = [
  [1, 2, 3],
  [-4, 0.5, 2],
  [7, -3, 1],
  [0, 6, -5],
  [2, 2, 8],
];
const unit = (...parts: Quaternion): Quaternion =>
  parts.map((part) => part / Math.hypot(...parts)) as unknown as Quaternion;
const rotations = [
  unit(1, 0, 0, 0),
  unit(0.3, -0.5, 0.7, 0.2),
  unit(0, 1, 0, 0),
  unit(0.01, 0.1, -0.9, 0.3),
  unit(-0.02, 0.1, 0.2, 0.95),
];

test.each(rotations)("a turned, scaled and moved set is brought back: %d %d %d %d", (...quaternion) => {
  const rotation = fromQuaternion(quaternion);
  const moved = points.map((point) => transform({ scale: 2.5, rotation, translation: [10, -20, 3] }, point));
  const found = align(points, moved);
  expect(found.scale).toBeCloseTo(2.5, 9);
  expect(rotationBetween(found.rotation, rotation)).toBeCloseTo(0, 4);
  for (const [index, point] of points.entries()) {
    const [x, y, z] = transform(found, point);
    expect([x, y, z]).toEqual(moved[index]?.map((value) => expect.closeTo(value, 8)));
  }
});

test.each(rotations)("a matrix and its quaternion are the same rotation: %d %d %d %d", (...quaternion) => {
  const matrix = fromQuaternion(quaternion);
  expect(rotationBetween(fromQuaternion(toQuaternion(matrix)), matrix)).toBeCloseTo(0, 4);
  expect(Math.hypot(...toQuaternion(matrix))).toBeCloseTo(1, 9);
});

test("a mirrored set cannot be brought back", () => {
  const mirrored = points.map(([x, y, z]): Vector => [x, -y, z]);
  const found = align(mirrored, points);
  const worst = Math.max(
    ...points.map((point, index) => {
      const [x, y, z] = transform(found, mirrored[index] as Vector);
      return Math.hypot(x - point[0], y - point[1], z - point[2]);
    }),
  );
  expect(worst).toBeGreaterThan(1);
});
