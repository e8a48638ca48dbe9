import { requirePositive } from "./checks.js";

/** How one motor moves: speed rises and falls evenly, without a stop at the top. */
export interface AxisMotion {
  readonly stepsPerRotation: number;
  /** Steps/s². */
  readonly acceleration: number;
  /** Steps/s. */
  readonly maxSpeed: number;
}

/**
 * Seconds a motor needs to turn by `degrees`, starting and ending at rest. Less than one step takes no time.
 *
 * @throws RangeError naming the value when an angle is negative or a motor figure is not positive
 */
export function travelTime(degrees: number, axis: AxisMotion): number {
  if (!(degrees >= 0 && Number.isFinite(degrees))) {
    throw new RangeError(`degrees must be a number of at least 0, not ${degrees}`);
  }
  requireAxis("axis", axis);
  return secondsFor(degrees, axis.stepsPerRotation, axis.acceleration, axis.maxSpeed);
}

/** @throws RangeError naming the figure that is not positive */
export function requireAxis(name: string, axis: AxisMotion): void {
  requirePositive(`${name}.stepsPerRotation`, axis.stepsPerRotation);
  requirePositive(`${name}.acceleration`, axis.acceleration);
  requirePositive(`${name}.maxSpeed`, axis.maxSpeed);
}

/** `travelTime` without its checks: numbers only, for the optimiser's inner loop. */
export function secondsFor(
  degrees: number,
  stepsPerRotation: number,
  acceleration: number,
  maxSpeed: number,
): number {
  const steps = Math.floor((degrees * stepsPerRotation) / 360);
  if (steps === 0) return 0;

  const rampSeconds = maxSpeed / acceleration;
  const rampSteps = Math.floor(0.5 * acceleration * rampSeconds * rampSeconds);
  if (2 * rampSteps <= steps) return 2 * rampSeconds + (steps - 2 * rampSteps) / maxSpeed;

  const halfway = Math.max(1, Math.floor(steps / 2));
  return 2 * Math.sqrt((2 * halfway) / acceleration);
}
