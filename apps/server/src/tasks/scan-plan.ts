import { type AxisMotion, fibonacciPath, optimizingOrder, polarToCartesian } from "@openscan/paths";
import { type PolarPoint, type Scan, ScanError, type ScanPath, type ScanSettings } from "@openscan/protocol";
import { type Clock, timestamp } from "@openscan/runtime";
import { inSlices } from "./in-slices.js";
import { directionOf, type ScanMotor, type Scanner } from "./scanner.js";

/** What of a scan's settings makes its path. */
export type PathSettings = Pick<
  ScanSettings,
  "points" | "min_theta" | "max_theta" | "min_phi" | "max_phi" | "optimize_path" | "optimization_algorithm"
>;
type PathScanner = Omit<Scanner, "camera">;

/**
 * The positions of a scan as generated.
 *
 * @throws ScanError `invalid` for settings that describe no path
 */
export function scanPoints(settings: PathSettings, radius: number): PolarPoint[] {
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
export function requireReachable(points: readonly PolarPoint[], scanner: PathScanner): void {
  for (const [index, point] of points.entries()) {
    try {
      scanner.checkReachable(point);
    } catch (cause) {
      if (!(cause instanceof ScanError) || cause.code !== "out_of_range") throw cause;
      throw new ScanError("out_of_range", `position ${index + 1} of ${points.length}: ${cause.message}`, {
        cause,
      });
    }
  }
}

/** Time, and what ends a computation early. */
interface Course {
  readonly clock: Clock;
  readonly signal?: AbortSignal;
}

/**
 * The path of a scan in the order in which its positions are visited, from where the motors stand now. Of many positions
 * it takes a while, during which the process goes on with everything else.
 */
export async function planScan(scan: Scan, scanner: Scanner, course: Course): Promise<ScanPath> {
  const points = await plannedPositions(scan.settings, scanner, course);
  return {
    project_name: scan.project_name,
    scan_index: scan.index,
    generated: timestamp(course.clock),
    points,
  };
}

/** As `planScan`: the positions alone. */
export async function plannedPositions(
  settings: PathSettings,
  scanner: PathScanner,
  course: Course,
): Promise<ScanPath["points"]> {
  const points = scanPoints(settings, scanner.status().scan_radius_mm);
  const steps = await executionOrder(points, settings, scanner, course);
  return steps.flatMap((original_step, execution_step) => {
    const polar = points[original_step];
    return polar ? [{ execution_step, original_step, polar, cartesian: polarToCartesian(polar) }] : [];
  });
}

async function executionOrder(
  points: readonly PolarPoint[],
  settings: PathSettings,
  scanner: PathScanner,
  course: Course,
): Promise<number[]> {
  if (!settings.optimize_path || settings.optimization_algorithm === "none")
    return points.map((_, index) => index);
  const rotor = motion(scanner.motor("rotor"));
  const turntable = motion(scanner.motor("turntable"));
  return inSlices(optimizingOrder(points, { start: directionOf(scanner), rotor, turntable }), course);
}

function motion({ settings }: ScanMotor): AxisMotion {
  const { steps_per_rotation, acceleration, max_speed } = settings.get();
  return { stepsPerRotation: steps_per_rotation, acceleration, maxSpeed: max_speed };
}
