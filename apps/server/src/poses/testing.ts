import type { PosedPhoto, ScanPoses } from "@openscan/protocol";
import { cameraPose, type Direction } from "./camera-pose.js";

/** A photo of a camera with 754 pixels of focal length and 1000 x 750 pixels, of which the top was cropped. */
export function posedPhoto(
  file: string,
  direction: Direction,
  changes: Partial<PosedPhoto> = {},
): PosedPhoto {
  const { R, C } = cameraPose(direction, changes.orientation_flag ?? 1);
  return {
    file,
    step: 0,
    stack_index: null,
    ...direction,
    measured: true,
    rotation: [[...R[0]], [...R[1]], [...R[2]]],
    position: [...C],
    intrinsics: { width: 1000, height: 750, fx: 754, fy: 754, cx: 500, cy: 365, source: "camera" },
    orientation_flag: 1,
    ...changes,
  };
}

export function posesOf(...photos: PosedPhoto[]): ScanPoses {
  return {
    version: 1,
    project_name: "Vase",
    scan_index: 1,
    generated: "2026-01-01T00:00:00.000Z",
    units: "mm",
    turntable_sign: 1,
    warnings: [],
    photos,
  };
}
