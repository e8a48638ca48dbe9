import { type MotorSettings, ScanError } from "@openscan/protocol";
import type { Clock } from "@openscan/runtime";
import type { Endstop } from "../endstop/endstop.js";
import { degreesOf, isFullCircle, relativeTarget, stepsBetween, stepsFor, wrap } from "./angles.js";
import type { MotorDriver } from "./driver.js";

/** Every motor is taken to stand here when it is opened: there is no way to know. */
const INITIAL_ANGLE = 90;
/** How far the search for the endstop goes. */
const SEEK_DEGREES = 270;
/** How far the motor first backs away from an endstop that is pressed already. */
const LEAVE_DEGREES = 45;
const BACK_OFF_DEGREES = 2;
/** Pause between a hit and the way back, for the mechanics to come to rest. */
const SETTLE_MS = 100;

export interface AxisOptions {
  /** Of the motor. */
  readonly name: string;
  readonly driver: MotorDriver;
  readonly clock: Clock;
  readonly settings: () => Readonly<MotorSettings>;
  /** Called when the angle turned out to be another one, without a step having been made. */
  readonly corrected: () => void;
}

/** Steps and degrees of one motor: where it stands, and how it gets elsewhere. */
export class Axis {
  readonly #name: string;
  readonly #driver: MotorDriver;
  readonly #clock: Clock;
  readonly #settings: () => Readonly<MotorSettings>;
  readonly #corrected: () => void;
  /** The motor stood at `angle` when the driver counted `position` steps. */
  #origin: { readonly angle: number; readonly position: number };

  constructor({ name, driver, clock, settings, corrected }: AxisOptions) {
    this.#name = name;
    this.#driver = driver;
    this.#clock = clock;
    this.#settings = settings;
    this.#corrected = corrected;
    this.#origin = { angle: INITIAL_ANGLE, position: driver.position };
  }

  /** Where the motor stands by the steps executed so far, during a move too. */
  get angle(): number {
    const settings = this.#settings();
    const angle = this.#origin.angle + degreesOf(this.#driver.position - this.#origin.position, settings);
    return isFullCircle(settings) ? wrap(angle) : angle;
  }

  standsAt(angle: number): void {
    this.#origin = { angle, position: this.#driver.position };
    this.#corrected();
  }

  /** Uses another gear from now on; steps made so far count with the one they were made with. */
  async configure(settings: MotorSettings): Promise<void> {
    this.#origin = { angle: this.angle, position: this.#driver.position };
    await this.#driver.configure(settings);
  }

  /**
   * Moves to an angle. An endstop touched on the way ends the move.
   *
   * @throws ScanError `hardware_fault`; `signal.reason`, after the motor has come to rest
   */
  async moveTo(target: number, endstop: Endstop | undefined, signal: AbortSignal): Promise<void> {
    const settings = this.#settings();
    const steps = stepsBetween(this.angle, target, settings);
    if (!endstop) {
      await this.#drive(steps, signal);
      return;
    }
    const approaching = steps * settings.direction > 0;
    let pressed = endstop.pressed;
    const touched = () => {
      const before = pressed;
      pressed = endstop.pressed;
      return pressed && (approaching || !before);
    };
    const hit = (approaching && pressed) || (await this.#drive(steps, signal, touched));
    if (!hit) return;
    if (approaching) return this.#backOff(endstop, signal);
    throw new ScanError(
      "hardware_fault",
      `endstop ${endstop.name} was pressed while motor ${this.#name} moved away from it: its direction is wrong`,
    );
  }

  /**
   * Drives in positive direction until the endstop is touched, ignoring the limits: then it is known where the
   * motor stands.
   *
   * @throws ScanError `hardware_fault` when it was not touched; others as `moveTo`
   */
  async findEndstop(endstop: Endstop, signal: AbortSignal): Promise<void> {
    const settings = this.#settings();
    if (
      endstop.pressed &&
      !(await this.#drive(stepsFor(-LEAVE_DEGREES, settings), signal, () => !endstop.pressed))
    ) {
      throw new ScanError(
        "hardware_fault",
        `endstop ${endstop.name} stays pressed while motor ${this.#name} moves away by ${LEAVE_DEGREES} degrees`,
      );
    }
    if (!(await this.#drive(stepsFor(SEEK_DEGREES, settings), signal, () => endstop.pressed))) {
      throw new ScanError(
        "hardware_fault",
        `motor ${this.#name} did not reach endstop ${endstop.name} within ${SEEK_DEGREES} degrees`,
      );
    }
    await this.#backOff(endstop, signal);
  }

  /** The motor touches its endstop: that is where it is, and it must not stay there. */
  async #backOff(endstop: Endstop, signal: AbortSignal): Promise<void> {
    this.standsAt(endstop.settings.angular_position);
    await this.#clock.sleep(SETTLE_MS, signal);
    const settings = this.#settings();
    const target = relativeTarget(this.angle, -BACK_OFF_DEGREES, settings);
    await this.#drive(stepsBetween(this.angle, target, settings), signal);
  }

  /** Executes steps; tells whether `until` ended them. Throws when they were neither executed nor ended so. */
  async #drive(steps: number, signal: AbortSignal, until?: () => boolean): Promise<boolean> {
    if (steps === 0) return false;
    signal.throwIfAborted();
    const before = this.#driver.position;
    let met = false;
    const watch = () => {
      met ||= until?.() ?? false;
      return met;
    };
    await this.#driver.move(steps, { signal, ...(until && { until: watch }) });
    if (met) return true;
    signal.throwIfAborted();
    const executed = this.#driver.position - before;
    if (executed === steps) return false;
    throw new ScanError("hardware_fault", `motor ${this.#name} executed ${executed} of ${steps} steps`);
  }
}
