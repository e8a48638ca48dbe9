import { CameraSettings } from "@openscan/protocol";
import sharp from "sharp";
import { expect, test } from "vitest";
import { encodeJpeg } from "./jpeg.js";
import { createScene, Renderer } from "./renderer.js";
import type { TwinView } from "./view.js";

const renderer = new Renderer(createScene());
const uncropped = { crop_width: 0, crop_height: 0 };
const view = (settings: object = {}, rest: Partial<TwinView> = {}): TwinView => ({
  theta: 60,
  fi: 40,
  radiusMm: 110,
  light: 1,
  width: 160,
  height: 120,
  seed: 1,
  settings: CameraSettings.parse({ ...uncropped, ...settings }),
  ...rest,
});

/** Takes the picture, and reads it back from its JPEG. */
async function photograph(wanted: TwinView) {
  const jpeg = await encodeJpeg(renderer.render(wanted), wanted.settings);
  const { data, info } = await sharp(jpeg).raw().toBuffer({ resolveWithObject: true });
  return { jpeg, pixels: data, width: info.width, height: info.height };
}

async function means(settings: object = {}, rest: Partial<TwinView> = {}) {
  const { pixels } = await photograph(view(settings, rest));
  const sums = [0, 0, 0] as [number, number, number];
  for (const [index, value] of pixels.entries())
    sums[(index % 3) as 0 | 1 | 2] += value / (pixels.length / 3);
  return { red: sums[0], green: sums[1], blue: sums[2], grey: (sums[0] + sums[1] + sums[2]) / 3 };
}

async function brightness(settings: object = {}, rest: Partial<TwinView> = {}): Promise<number> {
  return (await means(settings, rest)).grey;
}

function expectRising(values: readonly number[], by: number): void {
  for (const [index, value] of values.slice(1).entries()) {
    expect(value).toBeGreaterThan((values[index] as number) + by);
  }
}

test("a longer exposure is brighter", async () => {
  expectRising(await Promise.all([12, 25, 50, 100].map((shutter) => brightness({ shutter }))), 2);
});

test("more gain is brighter, and noisier at the same brightness", async () => {
  expectRising(await Promise.all([0.5, 1, 2, 4].map((gain) => brightness({ gain }))), 2);

  const deviation = async (settings: object) => {
    const first = renderer.render(view(settings)).pixels;
    const second = renderer.render(view(settings, { seed: 2 })).pixels;
    return Math.sqrt(
      first.reduce((sum, value, i) => sum + (value - (second[i] as number)) ** 2, 0) / first.length,
    );
  };
  expect(await deviation({ gain: 8, shutter: 6.25 })).toBeGreaterThan(
    2 * (await deviation({ gain: 1, shutter: 50 })),
  );
});

test("the ring light brightens; without it the picture is nearly black", async () => {
  expectRising(await Promise.all([0, 0.25, 0.5, 1].map((light) => brightness({}, { light }))), 2);
  expect(await brightness({}, { light: 0 })).toBeLessThan(6);
  expect(await brightness()).toBeGreaterThan(15);
});

test("white balance gains move their own colour only", async () => {
  const [plain, red, blue] = [await means(), await means({ awbg_red: 3 }), await means({ awbg_blue: 3 })];
  expect(red.red).toBeGreaterThan(plain.red + 3);
  expect(red.blue).toBeCloseTo(plain.blue, 0);
  expect(blue.blue).toBeGreaterThan(plain.blue + 3);
  expect(blue.red).toBeCloseTo(plain.red, 0);
});

test("saturation spreads colours, none leaves grey", async () => {
  const colourfulness = async (saturation: number) => {
    const { pixels } = renderer.render(view({ saturation }));
    let sum = 0;
    for (let i = 0; i < pixels.length; i += 3)
      sum += Math.abs((pixels[i] as number) - (pixels[i + 2] as number));
    return sum / (pixels.length / 3);
  };
  expectRising(await Promise.all([0, 0.5, 1, 2].map(colourfulness)), 1);
  expect(await colourfulness(0)).toBe(0);
});

test("contrast spreads tones, none leaves the middle one", async () => {
  const spread = async (contrast: number) => {
    const { pixels } = await photograph(view({ contrast }));
    return Math.max(...pixels) - Math.min(...pixels);
  };
  expect(await spread(0)).toBeLessThan(3);
  expect(await spread(0.5)).toBeLessThan(160);
  expect(await spread(1)).toBeGreaterThan(200);
});

test("settings that are null mean the defaults", () => {
  const nulls = Object.fromEntries(Object.keys(CameraSettings.shape).map((key) => [key, null]));
  expect(Buffer.compare(renderer.render(view(nulls)).pixels, renderer.render(view()).pixels)).toBe(0);
});

test("nothing shows beside object and plate, from any side", () => {
  for (const fi of [0, 90, 200]) {
    const { pixels, width, height } = renderer.render(view({}, { fi }));
    const margins = pixels.filter((_, i) => {
      const x = Math.floor(i / 3) % width;
      return x < 20 || x >= width - 20;
    });
    expect(margins).toHaveLength(40 * 3 * height);
    expect(Math.max(...margins)).toBeLessThan(25);
  }
});

test("the same view and seed give the same bytes, another seed others", async () => {
  const again = new Renderer(createScene());
  const wanted = view({ AF: false, manual_focus: 9 });
  const jpeg = await encodeJpeg(renderer.render(wanted), wanted.settings);
  expect(await encodeJpeg(again.render(wanted), wanted.settings)).toEqual(jpeg);
  const other = await encodeJpeg(renderer.render({ ...wanted, seed: 2 }), wanted.settings);
  expect(other).not.toEqual(jpeg);
});

test("a lower quality is a smaller file", async () => {
  const sizes = await Promise.all(
    [0, 40, 90, 100].map(async (jpeg_quality) => (await photograph(view({ jpeg_quality }))).jpeg.length),
  );
  expectRising(sizes, 10);
});

test("a crop shows the middle of the same picture", () => {
  const whole = renderer.render(view({}, { depthBlur: false }));
  const cropped = renderer.render(view({ crop_width: 20, crop_height: 50 }, { depthBlur: false }));
  expect([cropped.width, cropped.height]).toEqual([128, 60]);
  expect(cropped.intrinsics).toEqual({ f: whole.intrinsics.f, cx: 64, cy: 30 });
  let difference = 0;
  for (let y = 0; y < 60; y++) {
    for (let x = 0; x < 128; x++) {
      const part = cropped.pixels[3 * (y * 128 + x) + 1] as number;
      difference += Math.abs(part - (whole.pixels[3 * ((y + 30) * 160 + x + 16) + 1] as number));
    }
  }
  // Only the noise differs.
  expect(difference / (60 * 128)).toBeLessThan(3);
});

test("pixels are not turned, and the picture has no orientation of its own: a preview is shown as it is", async () => {
  const { jpeg, width, height } = await photograph(view({ orientation_flag: 8, crop_width: 10 }));
  expect([width, height]).toEqual([144, 120]);
  expect((await sharp(jpeg).metadata()).orientation).toBeUndefined();
});
