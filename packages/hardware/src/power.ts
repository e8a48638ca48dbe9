import { ScanError } from "@openscan/protocol";
import type { Clock, Logger } from "@openscan/runtime";
import { IdleTimer } from "./idle-timer.js";
import { Lock } from "./lock.js";
import type { Motor } from "./motor/motor.js";
import type { Rig } from "./rig.js";

/** Pause after motors and lights were switched on again, before they are relied on. */
const SETTLE_MS = 100;
/** Requests that may wait for the device to wake. */
const WAITING = 64;

export interface PowerOptions {
  readonly clock: Clock;
  readonly log: Logger;
  /** The components as they are at the moment. */
  readonly rig: () => Rig;
  /** Called when the device has gone idle or begun to wake. */
  readonly changed: () => void;
}

/** Whether motors and lights of a device are powered: falls asleep, wakes, and what must happen before a move. */
export class Power {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #rig: () => Rig;
  readonly #changed: () => void;
  readonly #timer: IdleTimer;
  /** Held while the device falls asleep, wakes, or is replaced. */
  readonly #lock = new Lock("power of the device", WAITING);
  #state: "awake" | "waking" | "idle" = "awake";
  #closed = false;

  constructor({ clock, log, rig, changed }: PowerOptions) {
    this.#clock = clock;
    this.#log = log;
    this.#rig = rig;
    this.#changed = changed;
    this.#timer = new IdleTimer(clock, () => void this.#fallAsleep());
  }

  get idle(): boolean {
    return this.#state === "idle";
  }

  /** Puts off falling asleep until the result was called. */
  hold(): () => void {
    return this.#timer.pause();
  }

  /** Falls asleep later. */
  stayAwake(): void {
    this.#timer.restart();
  }

  /** Exchanges the components while nobody falls asleep or wakes; `open` resolves when they are there. */
  async replace(open: () => Promise<void>): Promise<void> {
    await this.#lock.run(async () => {
      // A wake that was under way has armed it for the old components.
      this.#timer.stop();
      await open();
      const { lights, motors, configuration } = this.#rig();
      for (const light of lights.values()) await this.#attempt(light, () => light.switchTo(true));
      if (configuration.startup_mode === "startup_idle") {
        await this.#switchOff();
        return;
      }
      this.#state = "awake";
      for (const motor of motors.values()) await this.#attempt(motor, () => motor.enable(true));
      this.#timer.start(configuration.motors_timeout);
    });
  }

  /**
   * Does nothing when awake. `signal` ends the calibration that belongs to waking; the device is awake then.
   *
   * @throws ScanError of what could not be driven or calibrated; `signal.reason` while it waits for its turn
   */
  async wake(signal?: AbortSignal): Promise<void> {
    await this.#lock.run(async () => {
      if (this.#state === "awake" || this.#closed) return;
      const { motors, lights, configuration } = this.#rig();
      this.#state = "waking";
      try {
        for (const motor of motors.values()) await motor.enable(true);
        for (const light of lights.values()) await light.rest(false);
      } catch (error) {
        // Idle again as a whole: what was energised already would never be released.
        await this.#switchOff();
        throw error;
      }
      this.#changed();
      try {
        await this.#clock.sleep(SETTLE_MS, signal);
        if (configuration.calibrate_mode === "calibrate_on_wake") {
          await this.#eachUncalibrated((motor) => motor.calibrateOnWake(signal));
        }
      } finally {
        this.#state = "awake";
        this.#timer.start(configuration.motors_timeout);
      }
    }, signal);
  }

  /** Does nothing when idle. @throws ScanError `busy` while a motor moves */
  async sleep(): Promise<void> {
    await this.#lock.run(async () => {
      if (this.#state === "idle" || this.#closed) return;
      const moving = [...this.#rig().motors.values()].find(({ busy }) => busy);
      if (moving) throw new ScanError("busy", `motor ${moving.name} moves, the device cannot be idle`);
      await this.#switchOff();
      this.#changed();
    });
  }

  /** Makes the device ready for a movement; tells whether the motor shall find its endstop first. */
  async prepare(motor: Motor, intent: "move" | "home", signal: AbortSignal): Promise<{ calibrate: boolean }> {
    const asleep = this.#state !== "awake";
    await this.wake(signal);
    const { calibrate_mode } = this.#rig().configuration;
    if (intent === "home" && calibrate_mode === "calibrate_on_home") {
      await this.#eachUncalibrated((other) => other.calibrate({}, signal));
      return { calibrate: motor.needsCalibration };
    }
    return { calibrate: asleep && calibrate_mode === "calibrate_on_wake" && motor.needsCalibration };
  }

  /** Never falls asleep by itself again, until components are replaced. */
  stop(): void {
    this.#timer.stop();
  }

  /** Neither falls asleep nor wakes any more; `release` comes after what is under way. */
  async close(release: () => Promise<void>): Promise<void> {
    this.#closed = true;
    await this.#lock.runAtLast(release);
    this.#timer.stop();
  }

  /** Calibrates in turn what rests; a motor that was asked to move calibrates itself before it does. */
  async #eachUncalibrated(calibrate: (motor: Motor) => Promise<unknown>): Promise<void> {
    for (const motor of this.#rig().motors.values()) {
      if (motor.needsCalibration && !motor.busy) await calibrate(motor);
    }
  }

  async #switchOff(): Promise<void> {
    const { motors, lights } = this.#rig();
    this.#state = "idle";
    this.#timer.stop();
    for (const motor of motors.values()) await this.#attempt(motor, () => motor.enable(false));
    for (const light of lights.values()) await this.#attempt(light, () => light.rest(true));
  }

  /** One component that fails must not keep the others from their rest, nor from working at start-up. */
  async #attempt(component: { readonly name: string }, work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (err) {
      this.#log.error({ err, component: component.name }, "a component could not be switched");
    }
  }

  async #fallAsleep(): Promise<void> {
    try {
      await this.sleep();
    } catch (err) {
      this.#log.warn({ err }, "the device could not go idle");
    }
  }
}
