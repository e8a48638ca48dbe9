import { length2, length3, type Vector } from "./vector.js";

/** The turntable: a disc below the object, in mm. */
export const PLATE = { radius: 36, top: -26, bottom: -30 } as const;

/** Object and plate lie within this distance from the origin, in mm. */
export const BOUNDING_RADIUS = 48;

/** The object alone lies within a cube of this half edge around the origin, in mm. */
export const OBJECT_HALF_EDGE = 34;

/**
 * Lower bound of the distance from a point to the object, in mm, negative inside: a lobed body on a foot
 * with two knobs, a horn and a handle, about 55 mm tall and without any symmetry.
 */
export function objectDistance(x: number, y: number, z: number): number {
  let d = body(x, y, z);
  d = blend(d, foot(x, y, z), 5);
  d = blend(d, length3(x - 9, y - 8, z - 16) - 10, 5);
  d = blend(d, length3(x + 14, y + 12, z - 8) - 9, 4);
  d = blend(d, capsule(x, y, z), 3);
  d = blend(d, handle(x, y, z), 2.5);
  d -= bumps(x, y, z);
  // The bumps and lobes make the field steeper than a distance; scaled, it never promises too much room.
  return d * 0.68;
}

/** Exact distance from a point to the plate, in mm, negative inside. */
export function plateDistance(x: number, y: number, z: number): number {
  const middle = (PLATE.top + PLATE.bottom) / 2;
  const aside = length2(x, y) - PLATE.radius;
  const above = Math.abs(z - middle) - (PLATE.top - PLATE.bottom) / 2;
  return Math.min(Math.max(aside, above), 0) + length2(Math.max(aside, 0), Math.max(above, 0));
}

/**
 * Distance from a point near the surface of object and plate to that surface, in mm, negative inside. Exact
 * to first order in the distance, so good to a few percent within a millimetre; farther away an estimate.
 */
export function surfaceDistance([x, y, z]: Vector): number {
  const d = objectDistance(x, y, z);
  const h = 0.01;
  const slope = length3(
    objectDistance(x + h, y, z) - objectDistance(x - h, y, z),
    objectDistance(x, y + h, z) - objectDistance(x, y - h, z),
    objectDistance(x, y, z + h) - objectDistance(x, y, z - h),
  );
  const toObject = d / Math.max(slope / (2 * h), 0.1);
  return Math.min(toObject, plateDistance(x, y, z));
}

function body(x: number, y: number, z: number): number {
  const up = z + 4;
  const aside = length2(x, y);
  const inside = length3(x / 20, y / 18, up / 22);
  const slope = length3(x / 400, y / 324, up / 484);
  const ellipsoid = slope > 1e-9 ? (inside * (inside - 1)) / slope : -18;
  const turn = Math.atan2(y, x);
  const lobes = 2.1 * Math.cos(3 * turn + 0.7 + 0.05 * z) + 1.3 * Math.cos(5 * turn - 0.09 * z);
  // Lobes fade towards the axis, where the azimuth turns too quickly.
  return ellipsoid - (lobes * aside * aside) / (aside * aside + 90);
}

function foot(x: number, y: number, z: number): number {
  const aside = length2(x * 0.94, y) - 17;
  const above = Math.abs(z + 25) - 3;
  return Math.min(Math.max(aside, above), 0) + length2(Math.max(aside, 0), Math.max(above, 0)) - 0.8;
}

/** A horn from the body up to one side, thinner towards its tip. */
function capsule(x: number, y: number, z: number): number {
  const along = Math.min(1, Math.max(0, ((x + 4) * -11 + (y - 8) * 9 + (z - 8) * 17) / 491));
  return length3(x + 4 + 11 * along, y - 8 - 9 * along, z - 8 - 17 * along) - 6 + 2.4 * along;
}

/** Part of a ring that stands upright at the side of the body. */
function handle(x: number, y: number, z: number): number {
  const outwards = 0.906 * x - 0.423 * y - 17;
  const across = 0.423 * x + 0.906 * y;
  return length2(length2(outwards, z + 5) - 9, across) - 2.8;
}

function bumps(x: number, y: number, z: number): number {
  const coarse = Math.sin(0.37 * x + 1) * Math.sin(0.33 * y + 0.14 * x) * Math.sin(0.35 * z + 2);
  const fine = Math.sin(0.9 * x + 0.5 * z) * Math.sin(0.8 * y - 0.4 * x + 1) * Math.sin(0.85 * z + 0.3 * y);
  return 0.8 * coarse + 0.22 * fine;
}

/** Union with a rounded seam of width `k` (polynomial smooth minimum). */
function blend(a: number, b: number, k: number): number {
  const overlap = Math.max(k - Math.abs(a - b), 0) / k;
  return Math.min(a, b) - overlap * overlap * k * 0.25;
}
