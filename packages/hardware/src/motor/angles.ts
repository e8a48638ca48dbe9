import type { MotorSettings } from "@openscan/protocol";

type Limits = Readonly<Pick<MotorSettings, "min_angle" | "max_angle">>;
type Gear = Readonly<Pick<MotorSettings, "steps_per_rotation" | "direction">>;

/** Sums of floating-point degrees may miss a whole step by this much, in steps. */
const ROUNDING = 1e-6;

/** Whether the motor may turn on and on; then angles are modulo 360 and it takes the shorter way. */
export function isFullCircle({ min_angle, max_angle }: Limits): boolean {
  return min_angle === 0 && max_angle === 360;
}

/** The same direction, from 0 up to but not including 360. */
export function wrap(angle: number): number {
  const wrapped = ((angle % 360) + 360) % 360;
  return 360 - wrapped < 1e-9 ? 0 : wrapped;
}

/** The smaller angle between two directions, 0 to 180. */
export function apart(a: number, b: number): number {
  const difference = wrap(a - b);
  return Math.min(difference, 360 - difference);
}

/**
 * Where an absolute move to `angle` ends. On a limited motor that is the nearer limit when the angle lies
 * outside, measured around the circle: on 0 to 150, -20 ends at 0 and 200 at 150.
 */
export function absoluteTarget(angle: number, limits: Limits): number {
  if (isFullCircle(limits)) return wrap(angle);
  const { min_angle, max_angle } = limits;
  const within = sameWithin(angle, limits);
  if (within !== undefined) return within;
  return apart(angle, min_angle) < apart(angle, max_angle) ? min_angle : max_angle;
}

/** Where a relative move by `degrees` ends: on a limited motor never beyond its limits. */
export function relativeTarget(angle: number, degrees: number, limits: Limits): number {
  if (isFullCircle(limits)) return wrap(angle + degrees);
  return Math.min(limits.max_angle, Math.max(limits.min_angle, angle + degrees));
}

/** Whether an absolute move can end at `angle` exactly, a step's rounding aside. */
export function isReachable(angle: number, limits: Limits): boolean {
  return Number.isFinite(angle) && (isFullCircle(limits) || sameWithin(angle, limits) !== undefined);
}

/** The same direction as a number within the limits; 0 and 360 are the same direction. */
function sameWithin(angle: number, { min_angle, max_angle }: Limits): number | undefined {
  const wrapped = wrap(angle);
  return [wrapped, wrapped + 360].find((same) => same >= min_angle && same <= max_angle);
}

/** Signed steps that turn the motor by `degrees`, rounded towards rest. */
export function stepsFor(degrees: number, { steps_per_rotation, direction }: Gear): number {
  const steps = (degrees * steps_per_rotation) / 360;
  return Math.trunc(steps + Math.sign(steps) * ROUNDING) * direction || 0;
}

/** Signed steps from one angle to another, the shorter way round where the motor may choose. */
export function stepsBetween(from: number, to: number, settings: Limits & Gear): number {
  const distance = to - from;
  if (!isFullCircle(settings) || Math.abs(distance) <= 180) return stepsFor(distance, settings);
  return stepsFor(distance - 360 * Math.sign(distance), settings);
}

/** Degrees that `steps` signed steps turn the motor by. */
export function degreesOf(steps: number, { steps_per_rotation, direction }: Gear): number {
  return (steps * direction * 360) / steps_per_rotation;
}
