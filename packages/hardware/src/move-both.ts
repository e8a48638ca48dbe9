import { ScanError } from "@openscan/protocol";
import type { Clock } from "@openscan/runtime";
import { absoluteTarget, apart, degreesOf } from "./motor/angles.js";
import type { Motor } from "./motor/motor.js";
import type { Position } from "./reachable.js";
import { abortedBy, endsWithin } from "./waiting.js";

interface MoveBothOptions {
  readonly rotor: Motor;
  readonly turntable: Motor;
  /** Tells of an error that is the hardware's fault. */
  readonly fault: (motor: Motor, error: ScanError) => void;
  readonly clock: Clock;
  readonly signal: AbortSignal | undefined;
}

/** Moves rotor and turntable at the same time; when one fails the other is stopped. Errors: `Device.moveTo`. */
export async function moveBoth({ theta, fi }: Position, options: MoveBothOptions): Promise<void> {
  const { rotor, turntable, fault, clock, signal } = options;
  const halfTurnMs = Math.max(rotor.estimateMs(180), turntable.estimateMs(180));
  const stop = abortedBy(signal);
  const errors: unknown[] = [];
  const bring = async (motor: Motor, angle: number) => {
    try {
      const patience = { halfTurnMs, clock, signal: stop.signal };
      await whenFree(motor, patience, () => arriveAt(motor, angle, stop.signal));
    } catch (error) {
      if (error instanceof ScanError) fault(motor, error);
      errors.push(error);
      stop.abort(error);
    }
  };
  await Promise.all([bring(rotor, theta), bring(turntable, fi)]);
  stop.unlink();
  if (errors.length === 0) return;
  const [first] = errors;
  throw first instanceof ScanError
    ? first
    : new ScanError("cancelled", "the move was cancelled", { cause: first });
}

interface Patience {
  readonly halfTurnMs: number;
  readonly clock: Clock;
  readonly signal: AbortSignal | undefined;
}

/**
 * Waits for a motor to rest: patiently at first, then it is stopped, and in the end given up. Limits: device API
 * reference, section 9.1. Then runs `claim` in the same turn, so that of several who wait each gets the motor.
 *
 * @throws ScanError `timeout`; `signal.reason`; what `claim` throws
 */
export async function whenFree<T>(
  motor: Motor,
  { halfTurnMs, clock, signal }: Patience,
  claim: () => Promise<T>,
): Promise<T> {
  const patienceMs = Math.max(2000, 1.5 * halfTurnMs);
  const giveUpMs = Math.max(10_000, 3 * halfTurnMs);
  const begun = clock.monotonic();
  while (motor.busy) {
    const waitedMs = clock.monotonic() - begun;
    if (waitedMs >= giveUpMs) throw new ScanError("timeout", `motor ${motor.name} stays busy`);
    const patient = waitedMs < patienceMs;
    const rest = patient ? motor.ended() : motor.stop();
    // Whole milliseconds, so that rounding cannot make it wait for no time again and again.
    const ms = Math.ceil((patient ? patienceMs : giveUpMs) - waitedMs);
    await endsWithin(rest, { clock, ms, signal });
  }
  return claim();
}

/** Moves a motor and makes sure that it got there. */
async function arriveAt(motor: Motor, angle: number, signal: AbortSignal): Promise<void> {
  const { angle: reached, settings } = await motor.moveTo(angle, signal);
  const target = absoluteTarget(angle, settings);
  if (apart(reached, target) <= Math.abs(degreesOf(2, settings))) return;
  throw new ScanError(
    "hardware_fault",
    `motor ${motor.name} was to go to ${target} degrees but ended at ${reached.toFixed(2)}`,
  );
}
