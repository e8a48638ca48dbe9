import sharp from "sharp";
import { expect, test } from "vitest";
import { canny } from "./canny.js";
import { cropAround, findObject } from "./find-object.js";

const width = 200;
const height = 120;

/** A grey picture with filled rectangles, x, y, width, height and grey level each. */
function picture(background: number, ...rectangles: [number, number, number, number, number][]) {
  const grey = new Uint8Array(width * height).fill(background);
  for (const [left, top, w, h, level] of rectangles)
    for (let y = top; y < top + h; y++) grey.fill(level, y * width + left, y * width + left + w);
  return { width, height, grey };
}

test("the box lies around an object, on its outline", () => {
  expect(findObject(picture(20, [50, 30, 60, 40, 200]), 100)).toEqual({
    x: 49,
    y: 29,
    width: 61,
    height: 41,
  });
});

test("the box lies around all objects", () => {
  const found = findObject(picture(20, [20, 20, 20, 20, 90], [150, 70, 30, 40, 255]), 100);
  expect(found).toEqual({ x: 19, y: 19, width: 161, height: 91 });
});

test("a picture without edges, and one whose edges are too weak, is its own object", () => {
  const whole = { x: 0, y: 0, width, height };
  expect(findObject(picture(128), 100)).toEqual(whole);
  // A step of 30 has a gradient of 180 in its corners: strong only for thresholds below 90.
  expect(findObject(picture(100, [50, 30, 60, 40, 130]), 90)).toEqual(whole);
  expect(findObject(picture(100, [50, 30, 60, 40, 130]), 89)).not.toEqual(whole);
});

test("dust is no object, neither is what touches only the outermost pixels", () => {
  const dust: [number, number, number, number, number][] = [
    [5, 5, 2, 2, 255],
    [190, 110, 3, 2, 255],
    [100, 3, 1, 1, 255],
  ];
  expect(findObject(picture(20, [50, 30, 60, 40, 200], ...dust), 100)).toMatchObject({ x: 49, y: 29 });
});

test("a weak edge counts as far as it hangs on a strong one", () => {
  // The right half of the object is nearly as dark as the background.
  const found = findObject(picture(20, [50, 30, 30, 40, 200], [80, 30, 40, 40, 50]), 100);
  expect(found).toEqual({ x: 49, y: 29, width: 71, height: 41 });
  const apart = findObject(picture(20, [50, 30, 20, 40, 200], [90, 30, 40, 40, 50]), 100);
  expect(apart).toEqual({ x: 49, y: 29, width: 21, height: 41 });
});

test("edges are thin in every direction", async () => {
  const disc = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"><rect width="100%" height="100%"/><circle cx="100" cy="60" r="40" fill="white"/></svg>`;
  const { data: grey } = await sharp(Buffer.from(disc))
    .greyscale()
    .raw()
    .toBuffer({ resolveWithObject: true });
  const edges = canny({ width, height, grey }, 100, 200);
  let count = 0;
  for (let at = 0; at < edges.length; at++) {
    if (edges[at] === 0) continue;
    count++;
    expect(Math.abs(Math.hypot((at % width) - 100, Math.floor(at / width) - 60) - 40)).toBeLessThan(2);
  }
  // A closed line of one pixel: between the circumference of the eight-connected and the four-connected outline.
  expect(count).toBeGreaterThan(2 * Math.PI * 40 * 0.85);
  expect(count).toBeLessThan(8 * 40 * 1.1);
});

test.each([
  [{ x: 50, y: 30, width: 60, height: 40 }, 50, 50],
  [{ x: 0, y: 30, width: 60, height: 60 }, 0, 50],
  [{ x: 67, y: 0, width: 66, height: 120 }, 67, 0],
  [{ x: 0, y: 0, width, height }, 0, 0],
  [{ x: 100, y: 60, width: 1, height: 1 }, 95, 95],
])("the crop around %j takes %s and %s percent, and leaves the box whole", (box, horizontal, vertical) => {
  const crop = cropAround(box, { width, height });
  expect(crop).toEqual({ horizontal, vertical });
  expect((width * crop.horizontal) / 200).toBeLessThanOrEqual(box.x);
  expect(width - (width * crop.horizontal) / 200).toBeGreaterThanOrEqual(box.x + box.width);
});
