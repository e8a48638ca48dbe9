import type { Direction } from "./points.js";
import { type AxisMotion, requireAxis, secondsFor } from "./travel-time.js";

export interface Travel {
  /** Where the motors stand before the first point. */
  readonly start: Direction;
  /** Drives theta. */
  readonly rotor: AxisMotion;
  /** Drives fi, the shorter way round. */
  readonly turntable: AxisMotion;
}

/**
 * The order, as indices into `points`, in which the scanner visits them in less time: nearest neighbour,
 * or the given order where that is already as fast. O(n²): 999 points take some ten milliseconds.
 *
 * @throws RangeError naming the value when an angle is not finite or a motor figure is not positive
 */
export function optimizeOrder(points: readonly Direction[], travel: Travel): number[] {
  return toEnd(optimizingOrder(points, travel));
}

/**
 * As `optimizeOrder`, bit by bit: yields whenever it has decided on a point, so that whoever runs it can do something
 * else in between.
 */
export function* optimizingOrder(
  points: readonly Direction[],
  travel: Travel,
): Generator<void, number[], void> {
  const raw = points.map((_, index) => index);
  const nearest = yield* nearestNeighbors(points, travel);
  return orderTime(points, nearest, travel) < orderTime(points, raw, travel) ? nearest : raw;
}

/** Always goes on to the point that is reached first; of equally near ones to the earlier in `points`. */
export function nearestNeighborOrder(points: readonly Direction[], travel: Travel): number[] {
  return toEnd(nearestNeighbors(points, travel));
}

function* nearestNeighbors(points: readonly Direction[], travel: Travel): Generator<void, number[], void> {
  const between = legTimer(points, travel);
  const remaining = Int32Array.from(points.keys());
  const order: number[] = [];
  let at = START;
  for (let count = points.length; count > 0; count--) {
    let nearest = 0;
    let shortest = Number.POSITIVE_INFINITY;
    for (let slot = 0; slot < count; slot++) {
      const seconds = between(at, remaining[slot] ?? 0);
      if (seconds >= shortest) continue;
      shortest = seconds;
      nearest = slot;
    }
    at = remaining[nearest] ?? 0;
    order.push(at);
    // Closing the gap instead of swapping keeps the rest in their order, which decides ties.
    remaining.copyWithin(nearest, nearest + 1, count);
    yield;
  }
  return order;
}

function toEnd<T>(work: Generator<void, T, void>): T {
  for (;;) {
    const { done, value } = work.next();
    if (done) return value;
  }
}

/** Seconds the motors move when they visit `points` in `order`, from the start to the last point. */
export function orderTime(points: readonly Direction[], order: readonly number[], travel: Travel): number {
  const between = legTimer(points, travel);
  let total = 0;
  let at = START;
  for (const next of order) {
    if (!(next in points)) throw new RangeError(`order names point ${next} of ${points.length}`);
    total += between(at, next);
    at = next;
  }
  return total;
}

/** Stands for the start in place of a point's index. */
const START = -1;

/** Seconds between two points, both motors moving at once. Flat numbers: nothing is allocated per call. */
function legTimer(points: readonly Direction[], { start, rotor, turntable }: Travel) {
  requireAxis("rotor", rotor);
  requireAxis("turntable", turntable);
  const all = [start, ...points];
  const theta = Float64Array.from(all, (point) => requireFinite("theta", point.theta));
  const fi = Float64Array.from(all, (point) => requireFinite("fi", point.fi));
  const { stepsPerRotation: rotorSteps, acceleration: rotorRamp, maxSpeed: rotorSpeed } = rotor;
  const { stepsPerRotation: tableSteps, acceleration: tableRamp, maxSpeed: tableSpeed } = turntable;

  return (from: number, to: number): number => {
    const tilt = Math.abs((theta[from + 1] ?? 0) - (theta[to + 1] ?? 0));
    const apart = Math.abs((fi[from + 1] ?? 0) - (fi[to + 1] ?? 0)) % 360;
    const turn = Math.min(apart, 360 - apart);
    return Math.max(
      secondsFor(tilt, rotorSteps, rotorRamp, rotorSpeed),
      secondsFor(turn, tableSteps, tableRamp, tableSpeed),
    );
  };
}

function requireFinite(name: string, degrees: number): number {
  if (Number.isFinite(degrees)) return degrees;
  throw new RangeError(`${name} must be a finite number of degrees, not ${degrees}`);
}
