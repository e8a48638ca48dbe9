import { basename } from "node:path/posix";
import type { PoseFormat, ScanPoses } from "@openscan/protocol";
import { colmapFiles } from "./colmap.js";
import { metashapeCsv } from "./metashape.js";
import type { PlacedPhoto, PoseFile } from "./placed-photo.js";
import { transformsJson } from "./transforms.js";
import { xmpSidecar } from "./xmp.js";

export interface Placement {
  /** Where the pictures' folder is, from that of the poses: "" or `../`. */
  readonly photos: string;
  /** Whether all pictures lie straight in it, those that were in a folder of their own too. */
  readonly flat: boolean;
}

/** The poses of a scan as files for another program. */
export function poseFiles(
  format: PoseFormat,
  { photos, warnings }: ScanPoses,
  placement: Placement = { photos: "", flat: false },
): PoseFile[] {
  const placed = photos.map((photo): PlacedPhoto => {
    const name = placement.flat ? basename(photo.file) : photo.file;
    return { ...photo, name, path: placement.photos + name };
  });
  const files = write[format](placed);
  if (warnings.length > 0) files.push({ name: "poses_warnings.txt", text: lines(warnings) });
  return files;
}

const write: Readonly<Record<PoseFormat, (photos: readonly PlacedPhoto[]) => PoseFile[]>> = {
  colmap: colmapFiles,
  transforms: (photos) => [{ name: "transforms.json", text: transformsJson(photos) }],
  xmp: (photos) => photos.map((photo) => ({ name: xmpName(photo.path), text: xmpSidecar(photo) })),
  metashape: (photos) => [{ name: "metashape.csv", text: metashapeCsv(photos) }],
};

function xmpName(photo: string): string {
  return `${photo.replace(/\.\w+$/, "")}.xmp`;
}

function lines(texts: readonly string[]): string {
  return texts.map((text) => `${text}\n`).join("");
}
