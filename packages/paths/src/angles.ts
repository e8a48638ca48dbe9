const DEGREES = 180 / Math.PI;

export function toDegrees(radians: number): number {
  return radians * DEGREES;
}

export function toRadians(degrees: number): number {
  return degrees / DEGREES;
}

export function clamp(value: number, min: number, max: number): number {
  return Math.min(max, Math.max(min, value));
}

/** The angle of the same direction within 0 (included) and 360 (excluded). */
export function wrapDegrees(degrees: number): number {
  const wrapped = degrees % 360;
  // A tiny negative angle would be rounded up to 360 itself by the addition, and -0 must not survive.
  return wrapped < 0 ? (wrapped + 360) % 360 : wrapped + 0;
}
