import { type AxisMotion, fibonacciPath, optimizeOrder, polarToCartesian } from "@openscan/paths";
import { type PolarPoint, type Scan, ScanError, type ScanPath, type ScanSettings } from "@openscan/protocol";
import { position, type Scanner, type ScanMotor } from "./scanner.js";

/**
 * The positions of a scan as generated.
 *
 * @throws ScanError `invalid` for settings that describe no path
 */
export function scanPoints(settings: ScanSettings, radius: number): PolarPoint[] {
  const { points, min_theta: minTheta, max_theta: maxTheta, min_phi, max_phi } = settings;
  try {
    return fibonacciPath({
      points,
      minTheta,
      maxTheta,
      minPhi: min_phi ?? 0,
      maxPhi: max_phi ?? 360,
      radius,
    });
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new ScanError("invalid", `scan settings: ${cause.message}`, { cause });
  }
}

/**
 * Motors would silently stop at their limits, and several photos would be of one position.
 *
 * @throws ScanError `out_of_range` naming the first position that a motor cannot reach
 */
export function requireReachable(points: readonly PolarPoint[], motors: Scanner["motors"]): void {
  for (const [motor, axis] of [
    ["rotor", "theta"],
    ["turntable", "fi"],
  ] as const) {
    const limits = motors.get(motor)?.settings.get();
    if (!limits || (limits.min_angle === 0 && limits.max_angle === 360)) continue;
    const { min_angle, max_angle } = limits;
    const index = points.findIndex((point) => point[axis] < min_angle || point[axis] > max_angle);
    const point = points[index];
    if (!point) continue;
    throw new ScanError(
      "out_of_range",
      `position ${index + 1} of ${points.length} (theta ${degrees(point.theta)}, fi ${degrees(point.fi)}) is out of ` +
        `reach: the ${motor} moves from ${degrees(min_angle)} to ${degrees(max_angle)}`,
    );
  }
}

/** The path of a scan in the order in which its positions are visited, from where the motors stand now. */
export function planScan(scan: Scan, scanner: Scanner, generated: string): ScanPath {
  const points = scanPoints(scan.settings, scanner.status().scan_radius_mm);
  const steps = executionOrder(points, scan.settings, scanner);
  return {
    project_name: scan.project_name,
    scan_index: scan.index,
    generated,
    points: steps.flatMap((original_step, execution_step) => {
      const polar = points[original_step];
      return polar ? [{ execution_step, original_step, polar, cartesian: polarToCartesian(polar) }] : [];
    }),
  };
}

function executionOrder(points: readonly PolarPoint[], settings: ScanSettings, scanner: Scanner): number[] {
  const rotor = scanner.motors.get("rotor");
  const turntable = scanner.motors.get("turntable");
  const wanted = settings.optimize_path && settings.optimization_algorithm !== "none";
  if (!wanted || !rotor || !turntable) return points.map((_, index) => index);
  const start = position(scanner, { theta: 0, fi: 0 });
  return optimizeOrder(points, { start, rotor: motion(rotor), turntable: motion(turntable) });
}

function motion(motor: ScanMotor): AxisMotion {
  const { steps_per_rotation, acceleration, max_speed } = motor.settings.get();
  return { stepsPerRotation: steps_per_rotation, acceleration, maxSpeed: max_speed };
}

function degrees(angle: number): string {
  return `${Math.round(angle * 1000) / 1000}°`;
}
