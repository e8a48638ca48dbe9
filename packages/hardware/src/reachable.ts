import { type MotorSettings, ScanError } from "@openscan/protocol";
import { isReachable } from "./motor/angles.js";

/** Where the camera stands relative to the object, in degrees. */
export interface Position {
  /** From the north pole; the rotor's angle. */
  readonly theta: number;
  /** Azimuth; the turntable's angle. */
  readonly fi: number;
}

type Limits = Readonly<Pick<MotorSettings, "min_angle" | "max_angle">>;

/**
 * Makes sure that motors with these limits can take a position exactly: what moves by hand may end at a limit
 * instead, a scan may not.
 *
 * @throws ScanError `out_of_range` naming the motor, the angle and the limits
 */
export function checkReachable(
  { theta, fi }: Position,
  { rotor, turntable }: { rotor: Limits; turntable: Limits },
): void {
  for (const [name, angle, limits] of [
    ["rotor", theta, rotor],
    ["turntable", fi, turntable],
  ] as const) {
    if (isReachable(angle, limits)) continue;
    throw new ScanError(
      "out_of_range",
      `${name} cannot be at ${angle} degrees, only from ${limits.min_angle} to ${limits.max_angle}`,
    );
  }
}
