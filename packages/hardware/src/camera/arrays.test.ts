import { expect, test } from "vitest";
import { rgbArray, yuvArray } from "./arrays.js";

const white = [255, 255, 255];
const red = [255, 0, 0];
const black = [0, 0, 0];

function parse(file: Uint8Array) {
  const buffer = Buffer.from(file);
  const length = buffer.readUInt16LE(8);
  const header = buffer.toString("latin1", 10, 10 + length);
  return {
    magic: buffer.toString("latin1", 0, 8),
    start: 10 + length,
    header,
    values: [...buffer.subarray(10 + length)],
  };
}

test("an RGB array is a NumPy file of rows, columns and colours", () => {
  const pixels = [...white, ...red, ...black, ...black, ...black, ...black];
  const { magic, start, header, values } = parse(
    rgbArray({ width: 3, height: 2, rgb: new Uint8Array(pixels) }),
  );
  expect(magic).toBe("\x93NUMPY\x01\x00");
  expect(start % 64).toBe(0);
  expect(header).toMatch(/^{'descr': '\|u1', 'fortran_order': False, 'shape': \(2, 3, 3\), } *\n$/);
  expect(values).toEqual(pixels);
});

test("a YUV array has the brightness plane, then two colour planes of half size", () => {
  const row = [...white, ...white, ...red, ...red, ...black];
  const { header, values } = parse(yuvArray({ width: 5, height: 2, rgb: new Uint8Array([...row, ...row]) }));
  expect(header).toContain("'shape': (3, 4)");
  expect(values).toEqual([255, 255, 76, 76, 255, 255, 76, 76, 128, 85, 128, 255]);
});
