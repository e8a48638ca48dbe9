import type { CameraSettings } from "@openscan/protocol";
import { ScanError } from "@openscan/protocol";
import type { Vector } from "./vector.js";

/** Focal length by image width: 67 degrees wide, as an IMX519 module. */
const FOCAL_BY_WIDTH = 0.754;
const MAX_SIZE = [4656, 3496] as const;
const MIN_EDGE = 16;

/** Pinhole without distortion, in pixels; the middle of the first pixel is at 0.5, 0.5. */
export interface Intrinsics {
  readonly f: number;
  readonly cx: number;
  readonly cy: number;
}

/** The part of the sensor that becomes the picture. */
export interface Frame extends Intrinsics {
  /** Pixels of the picture. */
  readonly width: number;
  readonly height: number;
  /** Pixels cut off at the left and the right, at the top and the bottom. */
  readonly left: number;
  readonly top: number;
}

/** Where the camera stands in the object's frame. */
export interface Pose {
  /** World to camera, row by row: right, down, forward. A point p is at R (p - C). */
  readonly R: readonly [Vector, Vector, Vector];
  /** Middle of the lens in mm. */
  readonly C: Vector;
}

/** Intrinsics of the whole sensor at this size in pixels, before any crop. */
export function twinIntrinsics(width: number, height: number): Intrinsics {
  return { f: FOCAL_BY_WIDTH * width, cx: width / 2, cy: height / 2 };
}

/**
 * Size and intrinsics of the picture that remains after the crop. The crop is centred and keeps the scale:
 * `f` stays, `cx` and `cy` move.
 *
 * @param width pixels of the whole sensor
 * @param height pixels of the whole sensor
 * @param settings percent cut off, both sides together
 * @throws ScanError `out_of_range` when the size is not one that the camera has, or nothing would remain
 */
export function twinFrame(
  width: number,
  height: number,
  settings: Partial<Pick<CameraSettings, "crop_width" | "crop_height">> = {},
): Frame {
  const [maxWidth, maxHeight] = MAX_SIZE;
  const fits = (pixels: number, most: number) =>
    Number.isInteger(pixels) && pixels >= MIN_EDGE && pixels <= most;
  if (!fits(width, maxWidth) || !fits(height, maxHeight)) {
    throw new ScanError(
      "out_of_range",
      `picture size ${width}x${height} must be from ${MIN_EDGE}x${MIN_EDGE} to ${maxWidth}x${maxHeight}`,
    );
  }
  const left = cutOff("crop_width", width, settings.crop_width ?? 0);
  const top = cutOff("crop_height", height, settings.crop_height ?? 0);
  const { f, cx, cy } = twinIntrinsics(width, height);
  return { width: width - 2 * left, height: height - 2 * top, left, top, f, cx: cx - left, cy: cy - top };
}

function cutOff(name: string, pixels: number, percent: number): number {
  const each = Math.round((pixels * percent) / 200);
  if (pixels - 2 * each >= MIN_EDGE) return each;
  throw new ScanError("out_of_range", `${name} ${percent} leaves fewer than ${MIN_EDGE} of ${pixels} pixels`);
}

/**
 * The camera on its sphere, looking at the origin, the picture's top towards the north pole.
 *
 * @param theta degrees from the north pole
 * @param fi azimuth of the camera in the object's frame, degrees; turns with the table
 * @param radius mm
 */
export function cameraPose(theta: number, fi: number, radius: number): Pose {
  const st = Math.sin((theta * Math.PI) / 180);
  const ct = Math.cos((theta * Math.PI) / 180);
  const sf = Math.sin((fi * Math.PI) / 180);
  const cf = Math.cos((fi * Math.PI) / 180);
  return {
    R: [
      [-sf, cf, 0],
      [ct * cf, ct * sf, -st],
      [-st * cf, -st * sf, -ct],
    ],
    C: [radius * st * cf, radius * st * sf, radius * ct],
  };
}

/** Where a point of the object appears: pixel coordinates and depth along the optical axis in mm. */
export function project(
  point: Vector,
  { R, C }: Pose,
  { f, cx, cy }: Intrinsics,
): { u: number; v: number; depth: number } {
  const [x, y, z] = [point[0] - C[0], point[1] - C[1], point[2] - C[2]];
  const [right, down, forward] = R;
  const depth = forward[0] * x + forward[1] * y + forward[2] * z;
  return {
    u: cx + (f * (right[0] * x + right[1] * y + right[2] * z)) / depth,
    v: cy + (f * (down[0] * x + down[1] * y + down[2] * z)) / depth,
    depth,
  };
}
