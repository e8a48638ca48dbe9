import { expect, test } from "vitest";
import { fileTypeOf } from "./photo-file.js";

test.each([
  ["jpeg", undefined, "image/jpeg", ".jpg"],
  ["dng", undefined, "image/x-adobe-dng", ".dng"],
  ["rgb_array", undefined, "application/x-npy", ".npy"],
  ["yuv_array", undefined, "application/x-npy", ".npy"],
  ["raw", "IMG_0001.CR2", "image/x-canon-cr2", ".cr2"],
  ["raw", "capt0000.cr3", "image/x-canon-cr3", ".cr3"],
  ["raw", "a.b.crw", "image/x-canon-crw", ".crw"],
  ["raw", "x.dng", "image/x-adobe-dng", ".dng"],
  ["raw", "x.raw", "application/octet-stream", ".raw"],
  ["raw", "x.nef", "application/octet-stream", ".raw"],
  ["raw", "../../etc/passwd", "application/octet-stream", ".raw"],
  ["raw", undefined, "application/octet-stream", ".raw"],
  ["raw", 7, "application/octet-stream", ".raw"],
] as const)("%s named %s is %s, %s", (format, captureName, mediaType, extension) => {
  expect(fileTypeOf(format, captureName)).toEqual({ mediaType, extension });
});
