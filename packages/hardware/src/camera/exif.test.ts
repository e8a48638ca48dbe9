import sharp from "sharp";
import { describe, expect, test } from "vitest";
import { readTiff } from "../../test/tiff-reader.js";
import { withExif } from "./exif.js";

const facts = {
  make: "OpenScan",
  model: "test camera",
  software: "OpenScan3",
  exposureSeconds: 0.05,
  fNumber: 1.75,
  iso: 150,
  focalLengthMm: 4.28,
  focalLength35Mm: 27.1,
};
const plain = () =>
  sharp({ create: { width: 48, height: 32, channels: 3, background: "teal" } })
    .jpeg()
    .toBuffer();

const exifOf = async (jpeg: Uint8Array) => (await sharp(jpeg).metadata()).exif;
async function tagsOf(jpeg: Uint8Array) {
  const exif = await exifOf(jpeg);
  if (!exif) throw new Error("there is no EXIF");
  return readTiff(exif.subarray(exif.toString("latin1", 0, 4) === "Exif" ? 6 : 0)).values;
}
/** The compressed picture itself: from the start of its scan on. */
const scanOf = (jpeg: Uint8Array) =>
  Buffer.from(jpeg).subarray(Buffer.from(jpeg).indexOf(Buffer.from([0xff, 0xda])));

test("a JPEG without EXIF gets all that is known, and its picture is not touched", async () => {
  const jpeg = await plain();
  const tagged = withExif(jpeg, facts, 8);
  const tags = await tagsOf(tagged);
  expect(Object.fromEntries(tags)).toMatchObject({
    0x010f: "OpenScan",
    0x0110: "test camera",
    0x0112: [8],
    0x0131: "OpenScan3",
    0x829a: [0.05],
    0x829d: [1.75],
    0x8827: [150],
    0x920a: [4.28],
    0xa405: [27],
  });
  expect(scanOf(tagged).equals(scanOf(jpeg))).toBe(true);
  const { data, info } = await sharp(tagged).raw().toBuffer({ resolveWithObject: true });
  expect([info.width, info.height]).toEqual([48, 32]);
  expect(data.equals(await sharp(jpeg).raw().toBuffer())).toBe(true);
  const upright = await sharp(tagged).autoOrient().toBuffer({ resolveWithObject: true });
  expect([upright.info.width, upright.info.height]).toEqual([32, 48]);
});

test("what is not known is not told", async () => {
  const tags = await tagsOf(withExif(await plain(), { model: "Kamera ä" }, 1));
  expect(tags.get(0x0110)).toBe("Kamera ?");
  for (const tag of [0x010f, 0x829a, 0x8827, 0x920a]) expect(tags.has(tag)).toBe(false);
});

test.each([1, 2, 3, 4, 5, 6, 7, 8])("orientation %d is passed on", async (orientation) => {
  expect((await sharp(withExif(await plain(), facts, orientation)).metadata()).orientation).toBe(orientation);
});

test("D22: orientation 9, which the settings allow and EXIF does not, is left out", async () => {
  const tagged = withExif(await plain(), facts, 9);
  expect((await tagsOf(tagged)).has(0x0112)).toBe(false);
  expect(await sharp(tagged).raw().toBuffer()).toHaveLength(48 * 32 * 3);
});

describe("EXIF of the camera's own", () => {
  const own = (ifd0: Record<string, string>, orientation?: number) =>
    sharp({ create: { width: 48, height: 32, channels: 3, background: "teal" } })
      .jpeg()
      .withExif({ IFD0: ifd0, IFD2: { FNumber: "28/10" } })
      .withMetadata(orientation ? { orientation } : {})
      .toBuffer();

  test("keeps what it says; only its orientation is the scanner's", async () => {
    const jpeg = await own({ Make: "Canon", Model: "EOS 100" }, 3);
    const tagged = withExif(jpeg, facts, 6);
    expect(tagged).toHaveLength(jpeg.length);
    const tags = await tagsOf(tagged);
    expect(Object.fromEntries(tags)).toMatchObject({
      0x010f: "Canon",
      0x0110: "EOS 100",
      0x0112: [6],
      0x829d: [2.8],
    });
    expect(scanOf(tagged).equals(scanOf(jpeg))).toBe(true);
  });

  test.each(["II", "MM"] as const)(
    "without an orientation gets one, in its own byte order %s",
    async (order) => {
      const tagged = withExif(jpegWith(smallTiff(order)), facts, 6);
      const at = Buffer.from(tagged).indexOf("Exif\0\0") + 6;
      const reading = readTiff(Buffer.from(tagged).subarray(at, at + tiffLength(tagged)));
      expect(reading.order).toBe(order);
      expect(Object.fromEntries(reading.values)).toEqual({
        0x0100: [7],
        0x0110: "X100",
        0x0112: [6],
        0x0131: "own",
      });
    },
  );

  test.each([
    ["no byte order", Buffer.from("XX*\0\0\0\0\x08")],
    ["a directory outside", Buffer.from("II*\0\0\xff\0\0")],
    ["more entries than bytes", Buffer.from("II*\0\x08\0\0\0\xff\xff", "latin1")],
    ["nothing", Buffer.alloc(0)],
  ])("with %s is left as it is", (_, tiff) => {
    const jpeg = jpegWith(tiff);
    expect(withExif(jpeg, facts, 6)).toBe(jpeg);
  });
});

test.each([
  ["nothing", []],
  ["something else", [0x89, 0x50, 0x4e, 0x47]],
  ["a torn JPEG", [0xff, 0xd8, 0xff, 0xe0, 0x00, 0x10, 0x4a]],
  ["a segment without length", [0xff, 0xd8, 0xff, 0xe0, 0x00, 0x00, 0xff, 0xda]],
])("%s is left as it is", (_, bytes) => {
  const jpeg = new Uint8Array(bytes);
  expect(withExif(jpeg, facts, 6)).toBe(jpeg);
});

/** A directory of width, model and software, with room between them for an orientation. */
function smallTiff(order: "II" | "MM"): Buffer {
  const tiff = Buffer.alloc(8 + 2 + 3 * 12 + 4 + 6);
  const little = order === "II";
  const put16 = (at: number, value: number) =>
    little ? tiff.writeUInt16LE(value, at) : tiff.writeUInt16BE(value, at);
  const put32 = (at: number, value: number) =>
    little ? tiff.writeUInt32LE(value, at) : tiff.writeUInt32BE(value, at);
  tiff.write(order, "latin1");
  put16(2, 42);
  put32(4, 8);
  put16(8, 3);
  const entry = (index: number, tag: number, type: number, count: number) => {
    const at = 10 + 12 * index;
    put16(at, tag);
    put16(at + 2, type);
    put32(at + 4, count);
    return at + 8;
  };
  put16(entry(0, 0x0100, 3, 1), 7);
  put32(entry(1, 0x0110, 2, 5), 50);
  tiff.write("X100\0", 50, "latin1");
  tiff.write("own\0", entry(2, 0x0131, 2, 4), "latin1");
  return tiff;
}

function jpegWith(tiff: Buffer): Buffer {
  const segment = Buffer.concat([Buffer.from([0xff, 0xe1, 0, 0]), Buffer.from("Exif\0\0"), tiff]);
  segment.writeUInt16BE(segment.length - 2, 2);
  return Buffer.concat([Buffer.from([0xff, 0xd8]), segment, Buffer.from([0xff, 0xda, 0, 2, 0xff, 0xd9])]);
}

function tiffLength(jpeg: Uint8Array): number {
  const bytes = Buffer.from(jpeg);
  const start = bytes.indexOf("Exif\0\0") - 2;
  return bytes.readUInt16BE(start) - 8;
}
