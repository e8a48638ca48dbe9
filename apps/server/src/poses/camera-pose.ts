import { polarToCartesian } from "@openscan/paths";

export type Vector = readonly [number, number, number];
/** Row by row. */
export type Matrix = readonly [Vector, Vector, Vector];

/** Where a camera stands and what it looks at; a point p of the world is at R (p - C) for it. */
export interface CameraPose {
  /** World to camera, row by row: right, down and forward in the photo as it is stored. */
  readonly R: Matrix;
  /** Middle of the lens. */
  readonly C: Vector;
}

export interface Direction {
  /** Degrees from the north pole. */
  readonly theta: number;
  /** Azimuth of the camera in the object's frame, degrees. */
  readonly fi: number;
  readonly r: number;
}

const negative = ([x, y, z]: Vector): Vector => [-x, -y, -z];

/**
 * A camera on its sphere that looks at the origin. Upright, the picture's top is towards the north pole; a sensor that
 * is mounted otherwise stores its pixels in other directions, of which the EXIF orientation tells.
 */
export function cameraPose({ theta, fi, r }: Direction, orientation: number): CameraPose {
  const st = Math.sin((theta * Math.PI) / 180);
  const ct = Math.cos((theta * Math.PI) / 180);
  const sf = Math.sin((fi * Math.PI) / 180);
  const cf = Math.cos((fi * Math.PI) / 180);
  const right: Vector = [-sf, cf, 0];
  const down: Vector = [ct * cf, ct * sf, -st];
  const forward: Vector = [-st * cf, -st * sf, -ct];
  const { x, y, z } = polarToCartesian({ theta, fi, r });
  return { R: [...storedAxes(right, down, unmirrored(orientation)), forward], C: [x, y, z] };
}

/** How columns and rows of the stored pixels run over what the upright picture shows. */
function storedAxes(right: Vector, down: Vector, orientation: number): readonly [Vector, Vector] {
  // The first row is what EXIF names first: 3 bottom, 6 right, 8 left.
  if (orientation === 3) return [negative(right), negative(down)];
  if (orientation === 6) return [down, negative(right)];
  if (orientation === 8) return [negative(down), right];
  return [right, down];
}

/** Orientations that mirror the picture, which no way of holding a camera does; by what is left without. */
const mirrored: Readonly<Record<number, number>> = { 2: 1, 4: 3, 5: 6, 7: 8 };

export function isMirrored(orientation: number): boolean {
  return orientation in mirrored;
}

function unmirrored(orientation: number): number {
  return mirrored[orientation] ?? orientation;
}

/** R, transposed: camera to world. */
export function cameraToWorld([[a, b, c], [d, e, f], [g, h, i]]: Matrix): Matrix {
  return [
    [a, d, g],
    [b, e, h],
    [c, f, i],
  ];
}

export function dot(a: Vector, b: Vector): number {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}
