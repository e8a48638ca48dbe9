import { clamp, toDegrees, toRadians, wrapDegrees } from "./angles.js";
import { requireCount, requirePositive, requireWithin } from "./checks.js";
import type { CartesianPoint, PolarPoint } from "./points.js";

/** Part of a turn from one point to the next; the golden ratio keeps neighbours apart at every count. */
const GOLDEN_TURN = (Math.sqrt(5) - 1) / 2;
const GOLDEN_ANGLE = Math.PI * (3 - Math.sqrt(5));

export interface FibonacciOptions {
  /** How many points; equal ones collapse, so the path may be shorter. */
  readonly points: number;
  /** Degrees from the north pole, 0 to 180, `minTheta` <= `maxTheta`. */
  readonly minTheta: number;
  readonly maxTheta: number;
  /** Degrees, 0 to 360. From 350 to 10 passes through 0; from 0 to 360 is the full circle. */
  readonly minPhi: number;
  readonly maxPhi: number;
  /** Given to every point as `r`. */
  readonly radius: number;
}

/**
 * Points spread evenly over a zone of the sphere, from `maxTheta` up to `minTheta`: equal steps in
 * height are equal areas, and the azimuth advances by the golden ratio.
 *
 * @throws RangeError naming the option that is out of range
 */
export function fibonacciPath(options: FibonacciOptions): PolarPoint[] {
  check(options);
  const { minTheta, maxTheta, minPhi, maxPhi, radius } = options;
  const isSingleDirection = minTheta === maxTheta && minPhi === maxPhi;
  const count = isSingleDirection ? 1 : options.points;
  const span = minPhi === maxPhi ? 0 : wrapDegrees(maxPhi - minPhi) || 360;
  const bottom = Math.cos(toRadians(maxTheta));
  const top = Math.cos(toRadians(minTheta));

  const path: PolarPoint[] = [];
  const seen = new Set<string>();
  for (let index = 0; index < count; index++) {
    const height = bottom + (top - bottom) * (count === 1 ? 0.5 : index / (count - 1));
    const theta = clamp(toDegrees(Math.acos(clamp(height, -1, 1))), minTheta, maxTheta);
    const fi = wrapDegrees(minPhi + span * ((index * GOLDEN_TURN) % 1));
    const direction = `${theta} ${fi}`;
    if (seen.has(direction)) continue;
    seen.add(direction);
    path.push({ theta, fi, r: radius });
  }
  return path;
}

/**
 * `count` points spread evenly over the whole unit sphere, from the bottom to the top.
 *
 * @throws RangeError unless `count` is a whole number of at least 1
 */
export function unconstrainedFibonacci(count: number): CartesianPoint[] {
  requireCount("count", count);
  return Array.from({ length: count }, (_, index) => {
    const z = (2 * index + 1) / count - 1;
    const radius = Math.sqrt(1 - z * z);
    const azimuth = index * GOLDEN_ANGLE;
    return { x: radius * Math.cos(azimuth), y: radius * Math.sin(azimuth), z };
  });
}

function check({ points, minTheta, maxTheta, minPhi, maxPhi, radius }: FibonacciOptions): void {
  requireCount("points", points);
  requireWithin("minTheta", minTheta, 0, 180);
  requireWithin("maxTheta", maxTheta, 0, 180);
  requireWithin("minPhi", minPhi, 0, 360);
  requireWithin("maxPhi", maxPhi, 0, 360);
  requirePositive("radius", radius);
  if (minTheta > maxTheta) {
    throw new RangeError(`minTheta ${minTheta} must not be greater than maxTheta ${maxTheta}`);
  }
}
