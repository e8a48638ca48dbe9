import { CameraConfiguration, DeviceConfiguration, type DeviceStatus, ScanError } from "@openscan/protocol";
import { type Clock, Emitter, type Logger } from "@openscan/runtime";
import type { Camera } from "./camera/camera.js";
import type { ComponentKind } from "./define.js";
import type { Endstop } from "./endstop/endstop.js";
import { type Fault, Faults } from "./fault.js";
import { GpioPins } from "./gpio/gpio-pins.js";
import type { GpioLines } from "./gpio/lines.js";
import { simulatedLines } from "./gpio/simulated-lines.js";
import { usedPins } from "./gpio/used-pins.js";
import type { Light } from "./light/light.js";
import { Lock } from "./lock.js";
import type { Motor, MotorHost } from "./motor/motor.js";
import { moveBoth, whenFree } from "./move-both.js";
import { Power } from "./power.js";
import { checkReachable, type Position } from "./reachable.js";
import { DriverRegistry } from "./registry.js";
import { closeRig, emptyRig, planRig, type Rig, type RigOptions } from "./rig.js";
import { simulatedDrivers } from "./simulated-drivers.js";
import { SimulatedWorld } from "./simulated-world.js";
import type { Trigger } from "./trigger/trigger.js";

export interface DeviceOptions {
  readonly clock: Clock;
  readonly log: Logger;
  /** Default: simulated drivers. */
  readonly drivers?: DriverRegistry;
  /** Default: those of a simulated board. */
  readonly lines?: GpioLines;
}

/** Dotted paths into `DeviceStatus` of what has changed; null when anything may have. */
export interface DeviceChange {
  readonly changed: readonly string[] | null;
}

/** One scanner: its components, how they sleep and wake, and moves of the whole. */
export class Device {
  readonly changes: Emitter<DeviceChange>;
  readonly gpio: GpioPins;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #drivers: DriverRegistry;
  readonly #rigOptions: RigOptions;
  readonly #faults: Faults;
  readonly #power: Power;
  readonly #initializing = new Lock("initialisation of the device");
  #rig: Rig = emptyRig(DeviceConfiguration.parse({ name: "Unknown device" }));
  #initialized = false;
  #closed = false;

  constructor({ clock, log, drivers, lines }: DeviceOptions) {
    const world = new SimulatedWorld();
    this.#clock = clock;
    this.#log = log;
    this.#drivers = drivers ?? new DriverRegistry(simulatedDrivers(world), "simulated");
    this.gpio = new GpioPins({ lines: lines ?? simulatedLines(world), used: () => usedPins(this.#rig), log });
    this.changes = new Emitter(log);
    this.#faults = new Faults(log);
    this.#power = new Power({ clock, log, rig: () => this.#rig, changed: () => this.#emit("idle") });
    const motorHost: MotorHost = {
      claimed: () => this.#power.hold(),
      prepare: (motor, intent, signal) => this.#power.prepare(motor, intent, signal),
      stayAwake: () => this.#power.stayAwake(),
    };
    this.#rigOptions = {
      clock,
      log,
      drivers: this.#drivers,
      motorHost,
      wake: () => this.wake(),
      changed: (path) => this.#emit(path),
      faults: this.#faults,
    };
  }

  /** Tells of each failure of the hardware, once, whichever call it ended. */
  get faults(): Emitter<Fault> {
    return this.#faults.emitter;
  }

  /** Kinds of the drivers that there are for a component. */
  driverKinds(component: ComponentKind): string[] {
    return this.#drivers.kinds(component);
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
      idle_timeout: motors_timeout,
      scan_radius_mm,
      startup_mode,
      calibrate_mode,
      initialized: this.#initialized,
      idle: this.#power.idle,
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
   * Makes sure that there is a driver for each component and that it accepts its settings, without touching anything.
   *
   * @throws ScanError `invalid`
   */
  check(configuration: DeviceConfiguration): void {
    planRig(configuration, this.#rigOptions);
  }

  /**
   * Replaces all components: stops and closes the old ones, opens the new ones, switches the lights on and wakes
   * or idles the device as `startup_mode` says. Motors are taken to stand at 90 degrees. The device gets the cameras
   * that are configured and those that are attached: only these when `detectCameras` is set, each with the settings
   * that are configured for its name.
   *
   * @throws ScanError `invalid` for an unknown driver or wrong driver settings: nothing has changed then;
   * `offline` when closed
   */
  async initialize(configuration: DeviceConfiguration, { detectCameras = false } = {}): Promise<void> {
    this.#assertOpen();
    await this.#initializing.run(async () => {
      this.#assertOpen();
      const cameras = await this.#findCameras(configuration.cameras, detectCameras);
      const open = planRig({ ...configuration, cameras }, this.#rigOptions);
      this.#power.stop();
      await closeRig(this.#rig, this.#rigOptions);
      await this.gpio.release();
      await this.#power.replace(async () => {
        this.#rig = await open();
        for (const name of this.lights.keys()) this.#emit(`lights.${name}.settings`);
        for (const name of this.triggers.keys()) this.#emit(`triggers.${name}.settings`);
      });
      this.#initialized = true;
      this.changes.emit({ changed: null });
    });
  }

  /**
   * Moves rotor (theta) and turntable (fi) at the same time. A motor that is busy is waited for, then stopped.
   *
   * @throws ScanError `not_found` without these motors; `timeout` when one stays busy; `hardware_fault` when one
   * did not get there, by an endstop for example; others as `Motor.moveTo`. The other motor is stopped then.
   */
  async moveTo(position: Position, signal?: AbortSignal): Promise<void> {
    this.#assertOpen();
    const rotor = this.motor("rotor");
    const turntable = this.motor("turntable");
    const fault = (motor: Motor, error: ScanError) => this.#faults.of("motor", motor.name, error);
    await moveBoth(position, { rotor, turntable, fault, clock: this.#clock, signal });
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
    await this.wake(signal);
    if (this.#rig.configuration.calibrate_mode !== "calibrate_on_scan") return;
    for (const motor of this.motors.values()) {
      if (!motor.needsCalibration) continue;
      const patience = { halfTurnMs: motor.estimateMs(180), clock: this.#clock, signal };
      await whenFree(motor, patience, () => motor.calibrate({}, signal));
    }
  }

  /** Does not go idle by itself, for want of movements, until the result was called. */
  keepAwake(): () => void {
    return this.#power.hold();
  }

  /**
   * Energises the motors and restores the lights of an idle device; in mode `calibrate_on_wake` finds the
   * endstops too. Does nothing when awake or not initialised.
   *
   * @throws ScanError of what could not be driven or calibrated; `offline` when closed
   */
  async wake(signal?: AbortSignal): Promise<void> {
    this.#assertOpen();
    if (this.#initialized) await this.#power.wake(signal);
  }

  /**
   * Releases the motors, which are then not calibrated any more, and darkens the lights. What cannot be driven
   * is logged.
   *
   * @throws ScanError `busy` while a motor moves; `offline` when closed
   */
  async idle(): Promise<void> {
    this.#assertOpen();
    await this.#power.sleep();
  }

  /** Stops and releases everything. Whatever is asked of the device or its components later is `offline`. */
  async close(): Promise<void> {
    this.#closed = true;
    await closeRig(this.#rig, this.#rigOptions);
    // An initialisation under way opens components that are not in the rig yet.
    await this.gpio.release();
    await this.#initializing.runAtLast(() => this.#power.close(() => closeRig(this.#rig, this.#rigOptions)));
  }

  #emit(path: string): void {
    this.changes.emit({ changed: [path] });
  }

  async #findCameras(
    configured: DeviceConfiguration["cameras"],
    onlyAttached: boolean,
  ): Promise<DeviceConfiguration["cameras"]> {
    const attached = Object.entries(await this.#drivers.detectCameras(this.#log));
    const kindOf = ({ driver }: CameraConfiguration) => this.#drivers.kindOf(driver);
    const isConfigured = (found: CameraConfiguration) =>
      Object.values(configured).some(
        (camera) => camera.path === found.path && kindOf(camera) === kindOf(found),
      );
    const found = attached.map(([name, camera]) => {
      const known = configured[name];
      const isSame = known && this.#drivers.kindOf(known.driver) === camera.driver.kind;
      const driver = isSame ? known.driver : camera.driver;
      return [name, CameraConfiguration.parse({ ...known, ...camera, driver })] as const;
    });
    if (onlyAttached || Object.keys(configured).length === 0) return Object.fromEntries(found);
    // The same camera may be configured under a name of the user's own.
    const others = found.filter(([name, camera]) => name in configured || !isConfigured(camera));
    return { ...configured, ...Object.fromEntries(others) };
  }

  #assertOpen(): void {
    if (this.#closed) throw new ScanError("offline", "the device is closed");
  }
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
