import { ScanSettings } from "@openscan/protocol";
import { expect, test } from "vitest";
import { photoName } from "../projects/layout.js";
import { photoStacks } from "./photo-stacks.js";

const names = (step: number, stacks: readonly number[], extension = ".jpg") =>
  stacks.map((stack) => photoName(1, { step, stack }, extension));
const stacksOf = (photos: string[], focus_stacks = 3) =>
  photoStacks({ photos, settings: ScanSettings.parse({ focus_stacks }) });

test("photos belong to the stack of their position, in the order of focus, whatever order they were taken in", () => {
  const photos = [...names(7, [2, 0, 1]), ...names(2, [0, 1, 2])];
  expect(stacksOf(photos)).toEqual({
    size: 3,
    whole: [
      { step: 2, photos: names(2, [0, 1, 2]) },
      { step: 7, photos: names(7, [0, 1, 2]) },
    ],
    incomplete: [],
  });
});

test("defect 32: an incomplete first stack does not discard the whole ones", () => {
  const photos = [...names(0, [0]), ...names(1, [0, 1, 2]), ...names(2, [0, 2]), ...names(3, [0, 1, 2])];
  const { whole, incomplete } = stacksOf(photos);
  expect(whole.map(({ step }) => step)).toEqual([1, 3]);
  expect(incomplete).toEqual([0, 2]);
});

test("photos beyond those that the scan asked for are left out", () => {
  expect(stacksOf(names(0, [0, 1, 2, 3])).whole).toEqual([{ step: 0, photos: names(0, [0, 1, 2]) }]);
});

test("where the settings do not tell, the most common size counts, and the larger of two", () => {
  const photos = [...names(0, [0, 1]), ...names(1, [0, 1, 2, 3]), ...names(2, [0, 1, 2, 3])];
  expect(stacksOf(photos, 1)).toMatchObject({ size: 4, incomplete: [0] });
  expect(stacksOf(photos.slice(0, 6), 1)).toMatchObject({ size: 4, incomplete: [0] });
});

test("neither single photos, stacked ones, other formats nor other files are parts of stacks", () => {
  const photos = [
    "scan01_000.jpg",
    "stacked/stacked_scan01_000.jpg",
    "scan.json",
    ...names(1, [0, 1, 2], ".npy"),
  ];
  expect(stacksOf(photos)).toEqual({ size: 3, whole: [], incomplete: [] });
  expect(stacksOf(photos, 1)).toEqual({ size: 0, whole: [], incomplete: [] });
  expect(stacksOf(names(0, [0, 1, 2], ".JPEG")).whole).toHaveLength(1);
});
