import sharp from "sharp";
import { expect, test } from "vitest";
import { withExifOf } from "./exif.js";

const create = { width: 16, height: 8, channels: 3, background: "teal" } as const;
const plain = () => sharp({ create }).jpeg().toBuffer();
const signed = (model: string, orientation: number) =>
  sharp({ create })
    .jpeg()
    .withExif({ IFD0: { Model: model } })
    .withMetadata({ orientation })
    .toBuffer();

test("the EXIF of another photo, unchanged, in place of its own", async () => {
  const source = await signed("the source", 8);
  for (const jpeg of [await plain(), await signed("its own", 3)]) {
    const result = await sharp(withExifOf(jpeg, source)).metadata();
    expect(result).toMatchObject({ width: 16, height: 8, orientation: 8 });
    expect(result.exif).toEqual((await sharp(source).metadata()).exif);
  }
});

test("a source without any takes its own away and changes nothing else", async () => {
  const result = withExifOf(await signed("its own", 3), await plain());
  expect((await sharp(result).metadata()).exif).toBeUndefined();
  const bare = await plain();
  expect(Buffer.compare(withExifOf(bare, await plain()), bare)).toBe(0);
});

test.each([
  ["nothing", new Uint8Array()],
  ["a picture of another format", Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10)],
  ["a segment that goes beyond the end", Uint8Array.of(0xff, 0xd8, 0xff, 0xe1, 0xff, 0xff, 1, 2)],
])("%s as the source does no harm", async (_, source) => {
  expect((await sharp(withExifOf(await plain(), source)).metadata()).format).toBe("jpeg");
});
