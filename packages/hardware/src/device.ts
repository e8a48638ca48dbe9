import { DeviceConfiguration, type DeviceStatus, ScanError } from "@openscan/protocol";
import { type Clock, Emitter, type Logger } from "@openscan/runtime";
import type { Camera } from "./camera/camera.js";
import type { Endstop } from "./endstop/endstop.js";
import { IdleTimer } from "./idle-timer.js";
import type { Light } from "./light/light.js";
import { Lock } from "./lock.js";
import { absoluteTarget, apart, degreesOf } from "./motor/angles.js";
import type { Motor, MotorHost } from "./motor/motor.js";
import { checkReachable, type Position } from "./reachable.js";
import { DriverRegistry } from "./registry.js";
import { closeRig, emptyRig, planRig, type Rig, type RigOptions } from "./rig.js";
import { simulatedDrivers } from "./simulated-drivers.js";
import type { Trigger } from "./trigger/trigger.js";
import { abortedBy, endsWithin } from "./waiting.js";

/** Pause after motors and lights were switched on again, before they are relied on. */
const WAKE_SETTLE_MS = 100;

export interface DeviceOptions {
  readonly clock: Clock;
  readonly log: Logger;
  /** Default: simulated drivers. */
  readonly drivers?: DriverRegistry;
}

/** Dotted paths into `DeviceStatus` of what has changed; null when anything may have. */
export interface DeviceChange {
  readonly changed: readonly string[] | null;
}

type Power = "awake" | "waking" | "idle";

/** One scanner: its components, how they sleep and wake, and moves of the whole. */
export class Device {
  readonly changes: Emitter<DeviceChange>;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #drivers: DriverRegistry;
  readonly #rigOptions: RigOptions;
  readonly #idleTimer: IdleTimer;
  readonly #initializing = new Lock("initialisation of the device");
  /** Held while the device falls asleep, wakes, or is replaced. */
  readonly #powering = new Lock("power of the device", 64);
  #rig: Rig = emptyRig(DeviceConfiguration.parse({ name: "Unknown device" }));
  #power: Power = "awake";
  #initialized = false;
  #closed = false;

  constructor({ clock, log, drivers }: DeviceOptions) {
    this.#clock = clock;
    this.#log = log;
    this.#drivers = drivers ?? new DriverRegistry(simulatedDrivers(), "simulated");
    this.changes = new Emitter(log);
    this.#idleTimer = new IdleTimer(clock, () => void this.#fallAsleep());
    const motorHost: MotorHost = {
      claimed: () => this.#idleTimer.pause(),
      prepare: (motor, intent, signal) => this.#prepare(motor, intent, signal),
      stayAwake: () => this.#idleTimer.restart(),
    };
    this.#rigOptions = {
      clock,
      log,
      drivers: this.#drivers,
      motorHost,
      wake: () => this.wake(),
      changed: (path) => this.#emit(path),
    };
  }

  get cameras(): ReadonlyMap<string, Camera> {
    return this.#rig.cameras;
  }
  get motors(): ReadonlyMap<string, Motor> {
    return this.#rig.motors;
  }
  get endstops(): ReadonlyMap<string, Endstop> {
    return this.#rig.endstops;
  }
  get lights(): ReadonlyMap<string, Light> {
    return this.#rig.lights;
  }
  get triggers(): ReadonlyMap<string, Trigger> {
    return this.#rig.triggers;
  }

  /** @throws ScanError `not_found` */
  camera(name: string): Camera {
    return found("camera", name, this.cameras);
  }
  /** @throws ScanError `not_found` */
  motor(name: string): Motor {
    return found("motor", name, this.motors);
  }
  /** @throws ScanError `not_found` */
  light(name: string): Light {
    return found("light", name, this.lights);
  }
  /** @throws ScanError `not_found` */
  trigger(name: string): Trigger {
    return found("trigger", name, this.triggers);
  }

  /** The whole device at this moment; a copy that later changes do not reach. */
  status(): DeviceStatus {
    const { configuration, cameras, motors, lights, triggers, endstops } = this.#rig;
    const { name, model, shield, motors_timeout, scan_radius_mm, startup_mode, calibrate_mode } =
      configuration;
    return structuredClone({
      name,
      model,
      shield,
      cameras: each(cameras, (camera) => camera.status()),
      motors: each(motors, (motor) => motor.status()),
      lights: each(lights, (light) => light.status()),
      triggers: each(triggers, (trigger) => trigger.status()),
      endstops: each(endstops, ({ settings }) => ({ settings })),
      motors_timeout,
      scan_radius_mm,
      startup_mode,
      calibrate_mode,
      initialized: this.#initialized,
      idle: this.#power === "idle",
    });
  }

  /**
   * The running state in the form of a configuration file. Components that could not be opened are in it as
   * they were configured.
   */
  configuration(): DeviceConfiguration {
    const { configuration, cameras, motors, lights, triggers } = this.#rig;
    return structuredClone({
      ...configuration,
      cameras: mapped(configuration.cameras, (camera, name) => ({
        ...camera,
        settings: cameras.get(name)?.settings.get() ?? camera.settings,
      })),
      motors: mapped(configuration.motors, (motor, name) => ({
        ...motor,
        ...motors.get(name)?.settings.get(),
      })),
      lights: mapped(configuration.lights, (light, name) => ({
        ...light,
        ...lights.get(name)?.settings.get(),
      })),
      triggers: mapped(configuration.triggers, (trigger, name) => ({
        ...trigger,
        ...triggers.get(name)?.settings.get(),
      })),
    });
  }

  /**
   * Replaces all components: stops and closes the old ones, opens the new ones, switches the lights on and wakes
   * or idles the device as `startup_mode` says. Motors are taken to stand at 90 degrees. Without a configured
   * camera the device gets those that are attached.
   *
   * @throws ScanError `invalid` for an unknown driver or wrong driver settings: nothing has changed then;
   * `offline` when closed
   */
  async initialize(configuration: DeviceConfiguration): Promise<void> {
    this.#assertOpen();
    await this.#initializing.run(async () => {
      this.#assertOpen();
      const open = planRig(await this.#withCameras(configuration), this.#rigOptions);
      this.#idleTimer.stop();
      await closeRig(this.#rig, this.#log);
      await this.#powering.run(async () => {
        this.#rig = await open();
        await this.#startUp();
      });
    });
  }

  /**
   * Moves rotor (theta) and turntable (fi) at the same time. A motor that is busy is waited for, then stopped.
   *
   * @throws ScanError `not_found` without these motors; `timeout` when one stays busy; `hardware_fault` when one
   * did not get there, by an endstop for example; others as `Motor.moveTo`. The other motor is stopped then.
   */
  async moveTo({ theta, fi }: Position, signal?: AbortSignal): Promise<void> {
    this.#assertOpen();
    const rotor = this.motor("rotor");
    const turntable = this.motor("turntable");
    const halfTurnMs = Math.max(rotor.estimateMs(180), turntable.estimateMs(180));
    const stop = abortedBy(signal);
    const errors: unknown[] = [];
    const bring = async (motor: Motor, angle: number) => {
      try {
        await this.#freed(motor, halfTurnMs, stop.signal);
        await arriveAt(motor, angle, stop.signal);
      } catch (error) {
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

  /**
   * Makes sure that rotor and turntable can take a position exactly.
   *
   * @throws ScanError `out_of_range`; `not_found` without these motors
   */
  checkReachable(position: Position): void {
    const rotor = this.motor("rotor").settings.get();
    const turntable = this.motor("turntable").settings.get();
    checkReachable(position, { rotor, turntable });
  }

  /** To be called before a scan: wakes the device and, in mode `calibrate_on_scan`, finds the endstops. */
  async prepareScan(signal?: AbortSignal): Promise<void> {
    await this.wake();
    if (this.#rig.configuration.calibrate_mode !== "calibrate_on_scan") return;
    for (const motor of this.motors.values()) {
      if (!motor.needsCalibration) continue;
      await this.#freed(motor, motor.estimateMs(180), signal);
      await motor.calibrate({}, signal);
    }
  }

  /**
   * Energises the motors and restores the lights of an idle device; in mode `calibrate_on_wake` finds the
   * endstops too. Does nothing when awake or not initialised.
   *
   * @throws ScanError of what could not be driven or calibrated; `offline` when closed
   */
  async wake(): Promise<void> {
    this.#assertOpen();
    await this.#powering.run(async () => {
      if (this.#power === "awake" || this.#closed) return;
      this.#power = "waking";
      try {
        await this.#switchOn();
      } catch (error) {
        this.#power = "idle";
        throw error;
      }
      this.#emit("idle");
      await this.#clock.sleep(WAKE_SETTLE_MS);
      try {
        if (this.#rig.configuration.calibrate_mode === "calibrate_on_wake")
          await this.#calibrateResting("wake");
      } finally {
        this.#power = "awake";
        this.#idleTimer.start(this.#rig.configuration.motors_timeout);
      }
    });
  }

  /**
   * Releases the motors, which are then not calibrated any more, and darkens the lights. What cannot be driven
   * is logged.
   *
   * @throws ScanError `busy` while a motor moves; `offline` when closed
   */
  async idle(): Promise<void> {
    this.#assertOpen();
    await this.#powering.run(async () => {
      if (this.#power === "idle" || this.#closed) return;
      const moving = [...this.motors.values()].find(({ busy }) => busy);
      if (moving) throw new ScanError("busy", `motor ${moving.name} moves, the device cannot be idle`);
      await this.#switchOff();
      this.#emit("idle");
    });
  }

  /** Stops and releases everything. Whatever is asked of the device or its components later is `offline`. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#idleTimer.stop();
    await closeRig(this.#rig, this.#log);
    // An initialisation under way opens components that are not in the rig yet; a waking one starts the timer.
    await this.#initializing.runAtLast(() =>
      this.#powering.runAtLast(async () => {
        await closeRig(this.#rig, this.#log);
        this.#idleTimer.stop();
      }),
    );
  }

  #emit(path: string): void {
    this.changes.emit({ changed: [path] });
  }

  async #withCameras(configuration: DeviceConfiguration): Promise<DeviceConfiguration> {
    if (Object.keys(configuration.cameras).length > 0) return configuration;
    const { cameras } = DeviceConfiguration.pick({ cameras: true }).parse({
      cameras: await this.#drivers.detectCameras(this.#log),
    });
    return { ...configuration, cameras };
  }

  /** Brings fresh components into service and announces them. */
  async #startUp(): Promise<void> {
    const { lights, triggers, configuration } = this.#rig;
    for (const name of lights.keys()) this.#emit(`lights.${name}.settings`);
    for (const name of triggers.keys()) this.#emit(`triggers.${name}.settings`);
    for (const light of lights.values()) await this.#attempt(light, () => light.switchTo(true));
    if (configuration.startup_mode === "startup_idle") {
      await this.#switchOff();
    } else {
      this.#power = "awake";
      for (const motor of this.motors.values()) await this.#attempt(motor, () => motor.enable(true));
      this.#idleTimer.start(configuration.motors_timeout);
    }
    this.#initialized = true;
    this.changes.emit({ changed: null });
  }

  /** At start-up one component that fails must not keep the others from working. */
  async #attempt(component: { readonly name: string }, work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (err) {
      this.#log.error({ err, component: component.name }, "a component failed at start-up");
    }
  }

  async #switchOn(): Promise<void> {
    for (const motor of this.motors.values()) await motor.enable(true);
    for (const light of this.lights.values()) await light.rest(false);
  }

  async #switchOff(): Promise<void> {
    this.#power = "idle";
    this.#idleTimer.stop();
    for (const motor of this.motors.values()) await this.#attempt(motor, () => motor.enable(false));
    for (const light of this.lights.values()) await this.#attempt(light, () => light.rest(true));
  }

  async #fallAsleep(): Promise<void> {
    try {
      await this.idle();
    } catch (err) {
      this.#log.warn({ err }, "the device could not go idle");
    }
  }

  async #prepare(
    motor: Motor,
    intent: "move" | "home",
    signal: AbortSignal,
  ): Promise<{ calibrate: boolean }> {
    const asleep = this.#power !== "awake";
    await this.wake();
    const { calibrate_mode } = this.#rig.configuration;
    if (intent === "home" && calibrate_mode === "calibrate_on_home") {
      await this.#calibrateResting("move", signal);
      return { calibrate: motor.needsCalibration };
    }
    return { calibrate: asleep && calibrate_mode === "calibrate_on_wake" && motor.needsCalibration };
  }

  /** Calibrates in turn what rests; a motor that was asked to move calibrates itself before it does. */
  async #calibrateResting(intent: "wake" | "move", signal?: AbortSignal): Promise<void> {
    for (const motor of this.motors.values()) {
      if (!motor.needsCalibration || motor.busy) continue;
      await (intent === "wake" ? motor.calibrateOnWake() : motor.calibrate({}, signal));
    }
  }

  /** Waits for a motor to rest: patiently at first, then it is stopped, and in the end given up. */
  async #freed(motor: Motor, halfTurnMs: number, signal: AbortSignal | undefined): Promise<void> {
    const patienceMs = Math.max(2000, 1.5 * halfTurnMs);
    const giveUpMs = Math.max(10_000, 3 * halfTurnMs);
    const begun = this.#clock.monotonic();
    while (motor.busy) {
      const waitedMs = this.#clock.monotonic() - begun;
      if (waitedMs >= giveUpMs) throw new ScanError("timeout", `motor ${motor.name} stays busy`);
      const patient = waitedMs < patienceMs;
      const rest = patient ? motor.ended() : motor.stop();
      // Whole milliseconds, so that rounding cannot make it wait for no time again and again.
      const ms = Math.ceil((patient ? patienceMs : giveUpMs) - waitedMs);
      await endsWithin(rest, { clock: this.#clock, ms, signal });
    }
  }

  #assertOpen(): void {
    if (this.#closed) throw new ScanError("offline", "the device is closed");
  }
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

function found<T>(kind: string, name: string, components: ReadonlyMap<string, T>): T {
  const component = components.get(name);
  if (component) return component;
  throw new ScanError("not_found", `there is no ${kind} ${JSON.stringify(name)}`);
}

function each<T, Status>(components: ReadonlyMap<string, T>, status: (component: T) => Status) {
  return Object.fromEntries([...components].map(([name, component]) => [name, status(component)]));
}

function mapped<T>(
  entries: Readonly<Record<string, T>>,
  change: (value: T, name: string) => T,
): Record<string, T> {
  return Object.fromEntries(Object.entries(entries).map(([name, value]) => [name, change(value, name)]));
}
