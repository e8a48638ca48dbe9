import sharp from "sharp";
import { expect, test } from "vitest";
import { laplacianVariance } from "./sharpness.js";

test("the figure is the variance of left + right + above + below - 4 x middle", () => {
  const values = new Uint8Array(
    [
      [0, 0, 0, 0],
      [0, 10, 20, 0],
      [0, 0, 0, 0],
    ].flat(),
  );
  // Middles: -4 * 10 + 20 = -20, and -4 * 20 + 10 = -70.
  expect(laplacianVariance({ width: 4, height: 3, channels: 1, values })).toBe(625);
  const green = [...values].flatMap((value, index) => [(index * 77) % 256, value, 255]);
  expect(laplacianVariance({ width: 4, height: 3, channels: 3, values: new Uint8Array(green) })).toBe(625);
});

test("even and evenly rising pictures have none, and neither have those without a middle", () => {
  const ramp = Uint8Array.from({ length: 100 }, (_, index) => 2 * (index % 10) + 3 * Math.floor(index / 10));
  expect(
    laplacianVariance({ width: 10, height: 10, channels: 1, values: new Uint8Array(100).fill(200) }),
  ).toBe(0);
  expect(laplacianVariance({ width: 10, height: 10, channels: 1, values: ramp })).toBe(0);
  for (const [width, height] of [
    [0, 0],
    [1, 1],
    [2, 50],
    [50, 2],
  ] as const)
    expect(laplacianVariance({ width, height, channels: 1, values: new Uint8Array(width * height) })).toBe(0);
});

test("the more a picture is blurred, the smaller it is", async () => {
  const width = 200;
  const squares = Uint8Array.from({ length: width * width }, (_, index) =>
    (Math.floor((index % width) / 10) + Math.floor(index / width / 10)) % 2 === 0 ? 40 : 200,
  );
  const blurred = async (sigma: number) => {
    const image = sharp(squares, { raw: { width, height: width, channels: 1 } });
    const values = await (sigma > 0 ? image.blur(sigma) : image).greyscale().raw().toBuffer();
    return laplacianVariance({ width, height: width, channels: 1, values });
  };
  const figures = await Promise.all([0, 1, 2, 4, 8].map(blurred));
  for (const [index, figure] of figures.slice(1).entries())
    expect(figure).toBeLessThan(0.8 * (figures[index] ?? 0));
});
