import { CameraSettings } from "@openscan/protocol";
import { expect, test } from "vitest";
import { readTiff } from "../../test/tiff-reader.js";
import { encodeDng } from "./dng.js";
import { createScene, Renderer } from "./twin/renderer.js";

const facts = {
  make: "OpenScan",
  model: "test camera",
  exposureSeconds: 1 / 80,
  iso: 200,
  focalLengthMm: 4.28,
};
const matrix = [1.8, -0.5, -0.3, -0.97, 1.88, 0.04, 0.03, -0.11, 0.59];

test("a DNG reads back as the mosaic and the facts that went in", () => {
  const mosaic = new Uint16Array([256, 1000, 2000, 4095, 65_535, 0]);
  const dng = encodeDng(
    { width: 3, height: 2, mosaic, black: 256, white: 4095, neutral: [0.5, 1, 0.625], colorMatrix: matrix },
    facts,
    8,
  );
  const { order, values, places } = readTiff(dng);
  expect(order).toBe("II");
  const expected: Record<number, unknown> = {
    0x0100: [3],
    0x0101: [2],
    0x0102: [16],
    0x0103: [1],
    0x0106: [32_803],
    0x010f: "OpenScan",
    0x0110: "test camera",
    0x0112: [8],
    0x0115: [1],
    0x0116: [2],
    0x0117: [12],
    0x828d: [2, 2],
    0x828e: [0, 1, 1, 2],
    0x829a: [0.0125],
    0x8827: [200],
    0x920a: [4.28],
    0xc612: [1, 4, 0, 0],
    0xc614: "test camera",
    0xc61a: [256],
    0xc61d: [4095],
    0xc621: matrix,
    0xc628: [0.5, 1, 0.625],
    0xc65a: [21],
  };
  for (const [tag, value] of Object.entries(expected))
    expect(values.get(Number(tag)), `tag 0x${Number(tag).toString(16)}`).toEqual(value);

  const [offset] = values.get(0x0111) as number[];
  const strip = dng.subarray(offset, (offset ?? 0) + 12);
  expect(new Uint16Array(strip.slice().buffer)).toEqual(mosaic);
  const all = [...places, [offset, (offset ?? 0) + 12] as const].sort(([a = 0], [b = 0]) => a - b);
  for (const [index, [start = 0]] of all.entries()) {
    expect(start % 2, "values begin at even places").toBe(0);
    expect(start, "nothing lies upon another").toBeGreaterThanOrEqual(all[index - 1]?.[1] ?? 8);
  }
});

test("what the simulated sensor sees is its picture before white balance: developed, it has the same colours", () => {
  const renderer = new Renderer(createScene());
  const settings = CameraSettings.parse({
    crop_width: 0,
    crop_height: 0,
    awbg_red: 2.4,
    awbg_blue: 1.2,
    shutter: 20,
  });
  const view = { theta: 60, fi: 40, radiusMm: 110, light: 1, width: 160, height: 120, seed: 1, settings };
  const { image } = renderer.renderMosaic({ ...view, depthBlur: false });
  const { pixels } = renderer.render({ ...view, depthBlur: false });
  const { mosaic, width, height, black, white, neutral } = image;
  const sums = { raw: [0, 0, 0], picture: [0, 0, 0] };
  const colourAt = (x: number, y: number) => ((x ^ y) & 1 ? 1 : y & 1 ? 2 : 0);
  const linear = (byte: number) => {
    const value = byte / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  };
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const colour = colourAt(x, y);
      const sensor = ((mosaic[y * width + x] as number) - black) / (white - black);
      sums.raw[colour]! += Math.max(0, sensor) / neutral[colour];
      sums.picture[colour]! += linear(pixels[3 * (y * width + x) + colour] as number);
    }
  }
  for (const colour of [0, 1, 2]) {
    const ratio = sums.raw[colour]! / sums.picture[colour]!;
    expect(ratio, `colour ${colour}`).toBeGreaterThan(0.95);
    expect(ratio, `colour ${colour}`).toBeLessThan(1.05);
  }
});
