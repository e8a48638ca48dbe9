import type { ImageFormat } from "@openscan/protocol";

export interface FileType {
  /** e.g. `image/jpeg` */
  readonly mediaType: string;
  /** With its dot: `.jpg` */
  readonly extension: string;
}

const array: FileType = { mediaType: "application/x-npy", extension: ".npy" };
const dng: FileType = { mediaType: "image/x-adobe-dng", extension: ".dng" };
const types = {
  jpeg: { mediaType: "image/jpeg", extension: ".jpg" },
  dng,
  rgb_array: array,
  yuv_array: array,
} as const satisfies Partial<Record<ImageFormat, FileType>>;

const canon = (extension: string): FileType => ({
  mediaType: `image/x-canon-${extension.slice(1)}`,
  extension,
});
const rawTypes: Readonly<Record<string, FileType>> = {
  ".cr2": canon(".cr2"),
  ".cr3": canon(".cr3"),
  ".crw": canon(".crw"),
  ".dng": dng,
};
const raw: FileType = { mediaType: "application/octet-stream", extension: ".raw" };

/**
 * What kind of file a photo is. Raw files differ from camera to camera: the name that it gave its file tells.
 *
 * @param captureName `capture_name` of the camera's metadata
 */
export function fileTypeOf(format: ImageFormat, captureName: unknown): FileType {
  if (format !== "raw") return types[format];
  const [extension = ""] = /\.\w+$/.exec(typeof captureName === "string" ? captureName : "") ?? [];
  return rawTypes[extension.toLowerCase()] ?? raw;
}
