import { expect, test } from "vitest";
import {
  capturedSteps,
  leadingCaptured,
  metadataName,
  photoName,
  photoSlot,
  scanFolderName,
  scanIndexOf,
} from "./layout.js";

test.each([
  [1, "scan01"],
  [42, "scan42"],
  [123, "scan123"],
])("scan %i lies in %s", (index, folder) => {
  expect(scanFolderName(index)).toBe(folder);
  expect(scanIndexOf(folder)).toBe(index);
});

test.each(["scan", "scan1", "scan001", "scan01x", "Scan01", "model", ".tmp_0_scan01"])(
  "%s is no folder of a scan",
  (name) => {
    expect(scanIndexOf(name)).toBeUndefined();
  },
);

test.each([
  [1, { step: 2, stack: null }, ".jpg", "scan01_002.jpg", "metadata/scan01_002.json"],
  [12, { step: 998, stack: 0 }, ".dng", "scan12_998_fs00.dng", "metadata/scan12_998_fs00.json"],
  [3, { step: 0, stack: 98 }, ".npy", "scan03_000_fs98.npy", "metadata/scan03_000_fs98.json"],
])("photo of scan %i at %o", (index, slot, extension, file, metadata) => {
  expect(photoName(index, slot, extension)).toBe(file);
  expect(photoSlot(file)).toEqual(slot);
  expect(metadataName(file)).toBe(metadata);
});

test.each([
  "scan.json",
  "path.json",
  "scan01_002",
  "stacked/stacked_scan01_002.jpg",
  ".tmp_0123_scan01_002.jpg",
  "scan01_2.jpg",
])("%s is no photo", (file) => {
  expect(photoSlot(file)).toBeUndefined();
});

test("a step is captured when all its photos are there, and leading ones are counted in execution order", () => {
  const plain = capturedSteps(["scan01_002.jpg", "scan01_000.jpg", "stacked/stacked_scan01_001.jpg"], 1);
  expect([...plain].sort()).toEqual([0, 2]);
  expect(leadingCaptured([2, 0, 1], plain)).toBe(2);
  expect(leadingCaptured([1, 2, 0], plain)).toBe(0);
  expect(leadingCaptured([2, 0], plain)).toBe(2);

  const stacked = [
    "scan01_000_fs00.jpg",
    "scan01_000_fs01.jpg",
    "scan01_001_fs00.jpg",
    "scan01_001_fs00.dng",
    "scan01_002.jpg",
  ];
  expect([...capturedSteps(stacked, 2)]).toEqual([0]);
});
