import { MotorSettings, type MotorStatus, ScanError } from "@openscan/protocol";
import type { Clock } from "@openscan/runtime";
import type { Endstop } from "../endstop/endstop.js";
import { Lock } from "../lock.js";
import { Settings } from "../settings.js";
import { abortedBy, type LinkedAbort, unlessAborted } from "../waiting.js";
import { absoluteTarget, relativeTarget, stepsFor } from "./angles.js";
import { Axis } from "./axis.js";
import type { MotorDriver } from "./driver.js";
import { planSteps } from "./profile.js";

/** What a motor asks of the device it belongs to. */
export interface MotorHost {
  /** A movement was requested; the result is called when the motor rests again. */
  claimed(): () => void;
  /** Makes the device ready for a movement; tells whether the motor shall find its endstop first. */
  prepare(motor: Motor, intent: "move" | "home", signal: AbortSignal): Promise<{ calibrate: boolean }>;
  /** Something was asked of the motor that needs no movement. */
  stayAwake(): void;
}

export interface MotorOptions {
  readonly name: string;
  readonly settings: MotorSettings;
  readonly driver: MotorDriver;
  readonly host: MotorHost;
  readonly clock: Clock;
  /** Names, and tells of, what the driver threw. */
  readonly fault: (cause: unknown) => ScanError;
  /** Announces what has changed: `busy`, `angle`, `calibrated`, `endstop`, `settings`. */
  readonly changed: (part: string) => void;
}

type State =
  | { readonly phase: "resting" }
  | {
      readonly phase: "busy";
      readonly target: number | null;
      readonly stop: LinkedAbort;
      readonly ended: Promise<void>;
    };

interface Work {
  readonly intent: "move" | "home" | "wake";
  /** Asked when the motor is claimed and again when it starts: a calibration may come between. */
  readonly target: () => number | null;
  readonly signal: AbortSignal | undefined;
  readonly run: (signal: AbortSignal) => Promise<void>;
}

/**
 * One motor. Its angle is derived from the steps that the driver has really executed, so it is true during a
 * move, after a stop and after a fault alike.
 */
export class Motor {
  readonly name: string;
  readonly settings: Settings<MotorSettings>;
  readonly #driver: MotorDriver;
  readonly #host: MotorHost;
  readonly #axis: Axis;
  readonly #changed: (part: string) => void;
  readonly #fault: (cause: unknown) => ScanError;
  /** Held while the hardware moves or takes over settings. */
  readonly #hardware: Lock;
  #state: State = { phase: "resting" };
  #closed = false;
  #calibrated = false;
  #endstop: Endstop | undefined;
  #forgetEndstop = () => {};

  constructor({ name, settings, driver, host, clock, changed, fault }: MotorOptions) {
    this.name = name;
    this.#driver = driver;
    this.#host = host;
    this.#changed = changed;
    this.#fault = fault;
    this.#hardware = new Lock(`motor ${JSON.stringify(name)}`);
    this.settings = new Settings({
      owner: `motor ${JSON.stringify(name)}`,
      schema: MotorSettings,
      initial: settings,
      lock: this.#hardware,
      assertOpen: () => this.#assertOpen(),
      apply: (values) => this.#axis.configure(values),
      changed: () => changed("settings"),
      fault,
    });
    this.#axis = new Axis({
      name,
      driver,
      clock,
      settings: () => this.settings.get(),
      corrected: () => changed("angle"),
    });
  }

  get busy(): boolean {
    return this.#state.phase === "busy";
  }

  /** Whether it has an endstop that it has not been at yet. */
  get needsCalibration(): boolean {
    return this.#endstop !== undefined && !this.#calibrated;
  }

  status(): MotorStatus {
    return {
      name: this.name,
      angle: this.#axis.angle,
      busy: this.busy,
      target_angle: this.#state.phase === "busy" ? this.#state.target : null,
      settings: this.settings.get(),
      calibrated: this.#calibrated,
      endstop: this.#endstop?.status() ?? null,
    };
  }

  /** Duration of a move by `degrees` in ms. */
  estimateMs(degrees: number): number {
    const settings = this.settings.get();
    return planSteps(Math.abs(stepsFor(degrees, settings)), settings).durationMs;
  }

  /**
   * Moves to an angle; one outside the limits becomes the nearer limit. An endstop hit on the way ends the
   * move: the motor then stands 2 degrees before the endstop.
   *
   * @throws ScanError `busy` at once when it moves already; `out_of_range` for what is no number; `cancelled`
   * when stopped, after the motor has come to rest; `hardware_fault`; `offline` when closed
   */
  async moveTo(degrees: number, signal?: AbortSignal): Promise<MotorStatus> {
    this.#assertNumber(degrees);
    return this.#move(() => absoluteTarget(degrees, this.settings.get()), signal);
  }

  /** Moves by an angle, never beyond the limits. Errors as `moveTo`. */
  async moveBy(degrees: number, signal?: AbortSignal): Promise<MotorStatus> {
    this.#assertNumber(degrees);
    return this.#move(() => relativeTarget(this.#axis.angle, degrees, this.settings.get()), signal);
  }

  /** Moves to `home_angle`; the device may have all motors calibrated before. Errors as `moveTo`, `calibrate`. */
  async home(signal?: AbortSignal): Promise<MotorStatus> {
    return this.#move(() => this.settings.get().home_angle, signal, "home");
  }

  /**
   * Declares where the motor stands, without moving it; limits do not matter.
   *
   * @throws ScanError `busy`, `out_of_range` for what is no number, `offline`
   */
  async overrideAngle(degrees: number): Promise<MotorStatus> {
    this.#assertNumber(degrees);
    this.#assertFree();
    this.#axis.standsAt(degrees);
    return this.status();
  }

  /**
   * Drives in positive direction until the endstop is touched, ignoring the limits, then home. Does nothing for
   * a calibrated motor unless forced.
   *
   * @throws ScanError `invalid` without an endstop; `hardware_fault` when it was not reached: the motor is then
   * not calibrated; others as `moveTo`
   */
  async calibrate({ force = false } = {}, signal?: AbortSignal): Promise<MotorStatus> {
    return this.#calibrate("move", force, signal);
  }

  /** As `calibrate`, for a device that is just waking up: it is not asked to prepare itself again. */
  async calibrateOnWake(signal?: AbortSignal): Promise<MotorStatus> {
    return this.#calibrate("wake", false, signal);
  }

  /** Stops a movement between two steps; resolves when the motor rests. What asked for it is `cancelled`. */
  async stop(): Promise<void> {
    this.#assertOpen();
    await this.#stop(`motor ${this.name} was asked to stop`);
  }

  /** Resolves when the motor rests, whatever becomes of the movement. */
  async ended(): Promise<void> {
    if (this.#state.phase === "busy") await this.#state.ended;
  }

  /** Energises or releases the motor; one that was released may have been turned by hand. */
  async enable(on: boolean): Promise<void> {
    this.#assertOpen();
    await this.#hardware
      .run(() => this.#driver.enable(on))
      .catch((error: unknown) => {
        throw this.#fault(error);
      });
    if (!on) this.#setCalibrated(false);
  }

  attach(endstop: Endstop): void {
    this.#endstop = endstop;
    this.#forgetEndstop = endstop.onChange(() => this.#changed("endstop"));
  }

  get endstop(): Endstop | undefined {
    return this.#endstop;
  }

  /** Stops, waits for the motor to rest, and lets go of it. Everything asked for later is `offline`. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#stop(`motor ${this.name} is being closed`);
    this.#forgetEndstop();
    await this.#hardware.runAtLast(async () => {
      try {
        await this.#driver.enable(false);
      } finally {
        await this.#driver.close();
      }
    });
  }

  #setCalibrated(calibrated: boolean): void {
    if (this.#calibrated === calibrated) return;
    this.#calibrated = calibrated;
    this.#changed("calibrated");
  }

  #move(target: () => number, signal: AbortSignal | undefined, intent: "move" | "home" = "move") {
    return this.#perform({
      intent,
      target,
      signal,
      run: (stop) => this.#axis.moveTo(target(), this.#endstop, stop),
    });
  }

  async #calibrate(intent: "move" | "wake", force: boolean, signal: AbortSignal | undefined) {
    this.#assertOpen();
    if (!this.#endstop) throw new ScanError("invalid", `motor ${this.name} has no endstop`);
    this.#assertFree();
    if (this.#calibrated && !force) {
      this.#host.stayAwake();
      return this.status();
    }
    return this.#perform({ intent, target: () => null, signal, run: (stop) => this.#findEndstop(stop) });
  }

  /** Claims the motor at once, then prepares the device, then works; the motor rests when this settles. */
  async #perform({ intent, target, signal, run }: Work): Promise<MotorStatus> {
    this.#assertFree();
    if (signal?.aborted) throw this.#cancelled(signal.reason);
    const stop = abortedBy(signal);
    let end = () => {};
    const ended = new Promise<void>((resolve) => {
      end = resolve;
    });
    this.#state = { phase: "busy", target: target(), stop, ended };
    const release = this.#host.claimed();
    this.#changed("busy");
    try {
      const calibrate = intent !== "wake" && (await this.#prepare(intent, stop.signal)).calibrate;
      await this.#hardware.run(async () => {
        if (calibrate && this.needsCalibration) await this.#findEndstop(stop.signal);
        await run(stop.signal);
      }, stop.signal);
    } catch (error) {
      throw this.#translated(error, stop.signal);
    } finally {
      stop.unlink();
      this.#state = { phase: "resting" };
      release();
      this.#changed("busy");
      end();
    }
    return this.status();
  }

  #prepare(intent: "move" | "home", signal: AbortSignal): Promise<{ calibrate: boolean }> {
    return unlessAborted(this.#host.prepare(this, intent, signal), signal);
  }

  /** Finds out where the motor really is, then moves it home. */
  async #findEndstop(signal: AbortSignal): Promise<void> {
    if (!this.#endstop) return;
    this.#setCalibrated(false);
    await this.#axis.findEndstop(this.#endstop, signal);
    await this.#axis.moveTo(this.settings.get().home_angle, undefined, signal);
    this.#setCalibrated(true);
  }

  async #stop(why: string): Promise<void> {
    if (this.#state.phase !== "busy") return;
    this.#state.stop.abort(new ScanError("cancelled", why));
    await this.#state.ended;
  }

  #translated(error: unknown, signal: AbortSignal): ScanError {
    if (signal.aborted && error === signal.reason) return this.#cancelled(error);
    return this.#fault(error);
  }

  #cancelled(cause: unknown): ScanError {
    return new ScanError(
      "cancelled",
      `motor ${this.name} was stopped at ${this.#axis.angle.toFixed(2)} degrees`,
      {
        cause,
      },
    );
  }

  #assertNumber(degrees: number): void {
    if (Number.isFinite(degrees)) return;
    throw new ScanError("out_of_range", `motor ${this.name}: ${degrees} degrees is no angle`);
  }

  #assertFree(): void {
    this.#assertOpen();
    if (this.#state.phase === "resting") return;
    const { target } = this.#state;
    const doing = target === null ? "looking for its endstop" : `moving to ${target} degrees`;
    throw new ScanError("busy", `motor ${this.name} is ${doing}`);
  }

  #assertOpen(): void {
    if (this.#closed) throw new ScanError("offline", `motor ${this.name} is closed`);
  }
}
