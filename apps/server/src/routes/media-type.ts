import { extname } from "node:path";

const mediaTypes: Readonly<Record<string, string>> = {
  ".csv": "text/csv",
  ".dng": "image/x-adobe-dng",
  ".jpeg": "image/jpeg",
  ".jpg": "image/jpeg",
  ".json": "application/json",
  ".npy": "application/x-npy",
  ".png": "image/png",
};

/** What a file of a project is, told by its name. */
export function mediaTypeOf(path: string): string {
  return mediaTypes[extname(path).toLowerCase()] ?? "application/octet-stream";
}
