import { expect, test } from "vitest";
import {
  apply,
  compose,
  distance,
  enlarged,
  fromRows,
  identity,
  inverse,
  isIdentity,
  mean,
  toRows,
} from "./affine.js";

const some = { a: 1.02, b: -0.01, c: 7, d: 0.015, e: 0.98, f: -3 };

test("a transform and its inverse are nothing, in either order", () => {
  for (const both of [compose(some, inverse(some)), compose(inverse(some), some)])
    expect(distance(both, identity, 1000, 1000)).toBeLessThan(1e-9);
});

test("compose takes the second after the first", () => {
  const shift = { ...identity, c: 10 };
  const double = { a: 2, b: 0, c: 0, d: 0, e: 2, f: 0 };
  expect(apply(compose(double, shift), 1, 1)).toEqual([22, 2]);
  expect(apply(compose(shift, double), 1, 1)).toEqual([12, 2]);
});

test("enlarged: the middle of a block goes where the middle of its pixel went", () => {
  const [x, y] = apply(some, 5, 9);
  const middleOfBlock = (pixel: number) => 4 * pixel + 1.5;
  const [bigX, bigY] = apply(enlarged(some, 4), middleOfBlock(5), middleOfBlock(9));
  expect(bigX).toBeCloseTo(middleOfBlock(x), 9);
  expect(bigY).toBeCloseTo(middleOfBlock(y), 9);
  expect(distance(enlarged(enlarged(some, 4), 1 / 4), some, 100, 100)).toBeLessThan(1e-9);
});

test("the mean of none is the identity, of several what lies between", () => {
  expect(mean([])).toBe(identity);
  expect(mean([some, { ...some, c: 9 }])).toEqual({ ...some, c: 8 });
});

test("rows and back", () => {
  expect(toRows(some)).toEqual([
    [1.02, -0.01, 7],
    [0.015, 0.98, -3],
  ]);
  expect(fromRows(toRows(some))).toEqual(some);
  expect(isIdentity(fromRows(toRows(identity)))).toBe(true);
  expect(isIdentity(some)).toBe(false);
});
