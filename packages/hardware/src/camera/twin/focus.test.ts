import { CameraSettings } from "@openscan/protocol";
import { expect, test } from "vitest";
import { boxBlur } from "./box-blur.js";
import { renderDepth } from "./depth-map.js";
import { blurDiameter } from "./focus.js";
import { createScene, Renderer } from "./renderer.js";
import type { TwinView } from "./view.js";

const renderer = new Renderer(createScene());
const [width, height] = [480, 360];
const view = (settings: object, rest: Partial<TwinView> = {}): TwinView => ({
  theta: 55,
  fi: 40,
  radiusMm: 110,
  light: 1,
  width,
  height,
  seed: 1,
  settings: CameraSettings.parse({ crop_width: 0, crop_height: 0, ...settings }),
  ...rest,
});
const depth = renderDepth(view({}));

/** Mean squared Laplacian of the green channel where the surface lies between two distances in dioptres. */
function sharpness(pixels: Uint8Array, [from, to]: readonly [number, number]): number {
  const green = (pixel: number) => pixels[3 * pixel + 1] as number;
  let [sum, count] = [0, 0];
  for (let pixel = width; pixel < depth.length - width; pixel++) {
    const dioptres = 1000 / (depth[pixel] as number);
    if (!(dioptres >= from && dioptres < to)) continue;
    const around = green(pixel - 1) + green(pixel + 1) + green(pixel - width) + green(pixel + width);
    sum += (4 * green(pixel) - around) ** 2;
    count++;
  }
  expect(count).toBeGreaterThan(500);
  return sum / count;
}

test("the sharpest focus moves with the distance of the surface", () => {
  const focuses = [7, 8, 9.25, 10.5, 12];
  const photos = focuses.map((manual_focus) => renderer.render(view({ AF: false, manual_focus })).pixels);
  const sharpest = (range: readonly [number, number]) => {
    const values = photos.map((pixels) => sharpness(pixels, range));
    return focuses[values.indexOf(Math.max(...values))];
  };
  expect(sharpest([7.5, 8.5])).toBe(8);
  expect(sharpest([8.9, 9.6])).toBe(9.25);
  expect(sharpest([10.2, 10.8])).toBe(10.5);
});

test("without depth blur the focus makes no difference to sharpness", () => {
  const near = renderer.render(view({ AF: false, manual_focus: 1000 / 110 }, { depthBlur: false }));
  const auto = renderer.render(view({ AF: true }, { depthBlur: false }));
  expect(Buffer.compare(near.pixels, auto.pixels)).toBe(0);
});

test("the blur grows with the distance from the focus, on both sides", () => {
  expect(blurDiameter(100, 10, 965)).toBe(0);
  expect(blurDiameter(100, 11, 965)).toBeCloseTo(2.36, 2);
  expect(blurDiameter(1000 / 12, 10, 965)).toBeCloseTo(2 * blurDiameter(1000 / 11, 10, 965), 9);
});

test("autofocus finds the surface in the middle, or in its window", () => {
  const middle = renderer.render(view({})).focusDioptres;
  expect(middle).toBeGreaterThan(9.2);
  expect(middle).toBeLessThan(12);
  // The window counts pixels of a full photo, here 1280 wide: the far rim of the plate, at the left.
  const rim = renderer.render(view({ AF_window: [300, 560, 60, 60] })).focusDioptres;
  expect(rim).toBeLessThan(middle - 0.5);
  const same = renderer.render(
    view({ photo_resolution: [640, 480], AF_window: [150, 280, 30, 30] }),
  ).focusDioptres;
  expect(same).toBe(rim);
});

test("autofocus on nothing focuses on the table's middle", () => {
  expect(renderer.render(view({ AF_window: [0, 0, 40, 40] })).focusDioptres).toBeCloseTo(1000 / 110, 9);
  expect(renderer.render(view({ AF_window: [5000, 5000, 40, 40] })).focusDioptres).toBeCloseTo(1000 / 110, 9);
});

test("a nearer focus magnifies: the reported focal length and the picture agree", () => {
  const far = renderer.render(view({ AF: false, manual_focus: 0 }));
  const near = renderer.render(view({ AF: false, manual_focus: 15 }));
  const ratio = near.intrinsics.f / far.intrinsics.f;
  expect(ratio).toBeGreaterThan(1.05);
  expect(ratio).toBeLessThan(1.08);
  // Width of the lit part in the row of the plate.
  const extent = (photo: typeof far) => {
    const lit = Array.from({ length: width }, (_, x) => x).filter(
      (x) => (photo.pixels[3 * (Math.round(height * 0.68) * width + x)] as number) > 45,
    );
    return Math.max(...lit) - Math.min(...lit);
  };
  expect(extent(near) / extent(far)).toBeGreaterThan(1.02);
  expect(extent(near) / extent(far)).toBeLessThan(1.12);
});

test("a box blur keeps the sum, also for a width that is not whole", () => {
  const values = new Float32Array(15 * 15);
  values[7 * 15 + 7] = 1;
  for (const diameter of [1, 1.5, 3, 4.2]) {
    const blurred = boxBlur({ width: 15, height: 15, values }, diameter).values;
    expect(blurred.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 5);
    expect(blurred[7 * 15 + 7]).toBeCloseTo(1 / diameter ** 2, 5);
    expect(blurred[7 * 15 + 8]).toBeCloseTo(Math.min(1, (diameter - 1) / 2) / diameter ** 2, 5);
  }
});
