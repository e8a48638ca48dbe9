import { clamp, toDegrees, toRadians, wrapDegrees } from "./angles.js";
import type { CartesianPoint, PolarPoint } from "./points.js";

/** Below this an azimuth would be made of rounding errors only. */
const NOTHING = 1e-10;

export function polarToCartesian({ theta, fi, r }: PolarPoint): CartesianPoint {
  const polar = toRadians(theta);
  const azimuth = toRadians(fi);
  return {
    x: r * Math.sin(polar) * Math.cos(azimuth),
    y: r * Math.sin(polar) * Math.sin(azimuth),
    z: r * Math.cos(polar),
  };
}

/** The origin becomes (0, 0, 0); points on the axis get fi 0. `fi` is from 0 up to, not including, 360. */
export function cartesianToPolar({ x, y, z }: CartesianPoint): PolarPoint {
  const r = Math.hypot(x, y, z);
  if (r < NOTHING) return { theta: 0, fi: 0, r: 0 };

  const onAxis = Math.abs(x) < NOTHING && Math.abs(y) < NOTHING;
  return {
    theta: toDegrees(Math.acos(clamp(z / r, -1, 1))),
    fi: onAxis ? 0 : wrapDegrees(toDegrees(Math.atan2(y, x))),
    r,
  };
}
