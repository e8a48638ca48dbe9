import sharp from "sharp";
import { expect, test } from "vitest";
import { makeThumbnail } from "./thumbnail.js";

/** Four quarters of different brightness, so that every way to turn it is another picture. */
async function quarters(): Promise<Buffer> {
  const quarter = (value: number) =>
    sharp({ create: { width: 300, height: 150, channels: 3, background: { r: value, g: value, b: value } } })
      .png()
      .toBuffer();
  const create = { width: 600, height: 300, channels: 3, background: "black" } as const;
  return sharp({ create })
    .composite([
      { input: await quarter(80), left: 300, top: 0 },
      { input: await quarter(160), left: 0, top: 150 },
      { input: await quarter(240), left: 300, top: 150 },
    ])
    .jpeg({ quality: 100 })
    .toBuffer();
}

async function brightness(jpeg: Uint8Array) {
  const { data, info } = await sharp(jpeg).greyscale().raw().toBuffer({ resolveWithObject: true });
  const at = (x: number, y: number) =>
    Math.round((data[Math.round(y * info.height) * info.width + Math.round(x * info.width)] ?? 0) / 80);
  return {
    size: [info.width, info.height],
    corners: [at(0.2, 0.2), at(0.8, 0.2), at(0.2, 0.8), at(0.8, 0.8)],
  };
}

test.each([1, 2, 3, 4, 5, 6, 7, 8])(
  "orientation %i is turned upright as an EXIF reader does",
  async (orientation) => {
    const image = await quarters();
    const tagged = await sharp(image).withMetadata({ orientation }).jpeg({ quality: 100 }).toBuffer();
    const expected = await sharp(tagged).autoOrient().resize(512, 512, { fit: "inside" }).jpeg().toBuffer();
    expect(await brightness(await makeThumbnail(image, orientation))).toEqual(await brightness(expected));
  },
);

test.each([null, 9])("orientation %s says nothing and turns nothing", async (orientation) => {
  expect(await brightness(await makeThumbnail(await quarters(), orientation))).toEqual({
    size: [512, 256],
    corners: [0, 1, 2, 3],
  });
});

test("what is no image is refused", async () => {
  await expect(makeThumbnail(new Uint8Array([1, 2, 3]), 1)).rejects.toThrow();
});
