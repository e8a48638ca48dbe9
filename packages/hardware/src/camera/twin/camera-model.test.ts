import { expect, test } from "vitest";
import { cameraPose, project, twinFrame, twinIntrinsics } from "./camera-model.js";
import { dot, type Vector } from "./vector.js";

const directions = [
  [0, 0],
  [12, 33],
  [90, 0],
  [90, 270],
  [125, 200],
  [180, 77],
] as const;

test.each(directions)("theta %d, fi %d: a right-handed camera that looks at the origin", (theta, fi) => {
  const { R, C } = cameraPose(theta, fi, 110);
  const [right, down, forward] = R;
  for (const [a, b, expected] of [
    [right, right, 1],
    [down, down, 1],
    [forward, forward, 1],
    [right, down, 0],
    [right, forward, 0],
    [down, forward, 0],
  ] as const) {
    expect(dot(a, b)).toBeCloseTo(expected, 12);
  }
  const cross: Vector = [
    right[1] * down[2] - right[2] * down[1],
    right[2] * down[0] - right[0] * down[2],
    right[0] * down[1] - right[1] * down[0],
  ];
  expect(dot(cross, forward)).toBeCloseTo(1, 12);
  expect(project([0, 0, 0], { R, C }, twinIntrinsics(640, 480))).toEqual({
    u: expect.closeTo(320, 9),
    v: expect.closeTo(240, 9),
    depth: expect.closeTo(110, 9),
  });
});

test("seen from the x axis, y is to the right and z is up", () => {
  const pose = cameraPose(90, 0, 100);
  expect(pose.C).toEqual([expect.closeTo(100, 9), expect.closeTo(0, 9), expect.closeTo(0, 9)]);
  const { f, cx, cy } = twinIntrinsics(1000, 500);
  expect(f).toBe(754);
  expect(project([0, 10, 0], pose, { f, cx, cy }).u).toBeCloseTo(cx + 75.4, 9);
  expect(project([0, 0, 10], pose, { f, cx, cy }).v).toBeCloseTo(cy - 75.4, 9);
});

test("the azimuth grows from x towards y", () => {
  expect(cameraPose(90, 90, 50).C).toEqual([
    expect.closeTo(0, 9),
    expect.closeTo(50, 9),
    expect.closeTo(0, 9),
  ]);
});

test("a crop is centred, keeps the scale and moves the principal point", () => {
  const frame = twinFrame(640, 480, { crop_width: 10, crop_height: 25 });
  expect(frame).toEqual({ width: 576, height: 360, left: 32, top: 60, f: 482.56, cx: 288, cy: 180 });
  expect(twinFrame(640, 480, { crop_width: null, crop_height: null })).toMatchObject({
    width: 640,
    height: 480,
  });
});

test.each([
  [0, 480, {}, "picture size 0x480 must be from 16x16 to 4656x3496"],
  [640, 3497, {}, "picture size 640x3497 must be from 16x16 to 4656x3496"],
  [640.5, 480, {}, "picture size 640.5x480 must be from 16x16 to 4656x3496"],
  [640, 480, { crop_width: 100 }, "crop_width 100 leaves fewer than 16 of 640 pixels"],
  [640, 480, { crop_height: 98 }, "crop_height 98 leaves fewer than 16 of 480 pixels"],
])("%d x %d with crop %o is refused", (width, height, settings, message) => {
  expect(() => twinFrame(width, height, settings)).toThrow(
    expect.objectContaining({ code: "out_of_range", message }),
  );
});
