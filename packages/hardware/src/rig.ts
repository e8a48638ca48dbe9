import { type DeviceConfiguration, type DriverChoice, ScanError } from "@openscan/protocol";
import type { Clock, Logger } from "@openscan/runtime";
import { Camera } from "./camera/camera.js";
import type { ComponentKind, Components } from "./define.js";
import { Endstop } from "./endstop/endstop.js";
import type { Faults } from "./fault.js";
import { Light } from "./light/light.js";
import { Motor, type MotorHost } from "./motor/motor.js";
import type { DriverRegistry } from "./registry.js";
import { Trigger } from "./trigger/trigger.js";

/** The components of one configuration, in its order. */
export interface Rig {
  readonly configuration: DeviceConfiguration;
  readonly cameras: ReadonlyMap<string, Camera>;
  readonly motors: ReadonlyMap<string, Motor>;
  readonly endstops: ReadonlyMap<string, Endstop>;
  readonly lights: ReadonlyMap<string, Light>;
  readonly triggers: ReadonlyMap<string, Trigger>;
}

export interface RigOptions {
  readonly drivers: DriverRegistry;
  readonly clock: Clock;
  readonly log: Logger;
  readonly motorHost: MotorHost;
  readonly wake: () => Promise<void>;
  /** Announces that the thing at a dotted path has changed. */
  readonly changed: (path: string) => void;
  readonly faults: Faults;
}

export function emptyRig(configuration: DeviceConfiguration): Rig {
  return {
    configuration,
    cameras: new Map(),
    motors: new Map(),
    endstops: new Map(),
    lights: new Map(),
    triggers: new Map(),
  };
}

/**
 * Checks that all drivers of a configuration are known and accept their settings.
 *
 * @returns opens the components; one that fails is logged and left out
 * @throws ScanError `invalid` before any hardware was touched
 */
export function planRig(configuration: DeviceConfiguration, options: RigOptions): () => Promise<Rig> {
  const { clock, motorHost, wake } = options;
  const plan = <Kind extends ComponentKind, Configured extends Driven>(
    kind: Kind,
    configured: Readonly<Record<string, Configured>>,
    settings: (of: Configured) => Components[Kind]["settings"],
  ) => planComponents({ kind, configured, settings, scanRadiusMm: configuration.scan_radius_mm }, options);
  const changed = (path: string) => (part?: string) => options.changed(part ? `${path}.${part}` : path);

  const cameras = plan("camera", configuration.cameras, ({ settings }) => settings);
  const motors = plan("motor", configuration.motors, withoutDriver);
  const endstops = plan("endstop", configuration.endstops, ({ settings }) => settings);
  const lights = plan("light", configuration.lights, withoutDriver);
  const triggers = plan("trigger", configuration.triggers, withoutDriver);

  return async () => {
    const rig = {
      configuration,
      cameras: await cameras(
        (common, { type }) =>
          new Camera({ ...common, type, clock, changed: changed(`cameras.${common.name}`) }),
      ),
      motors: await motors(
        (common) =>
          new Motor({ ...common, clock, host: motorHost, changed: changed(`motors.${common.name}`) }),
      ),
    };
    return {
      ...rig,
      endstops: await endstops((common) => attach(new Endstop(common), rig.motors)),
      lights: await lights(
        (common) => new Light({ ...common, wake, changed: changed(`lights.${common.name}`) }),
      ),
      triggers: await triggers(
        (common) => new Trigger({ ...common, clock, changed: changed(`triggers.${common.name}`) }),
      ),
    };
  };
}

/** Stops and releases everything: motors first, since they are what can do harm. Failures are logged. */
export async function closeRig(rig: Rig, { log, faults }: Pick<RigOptions, "log" | "faults">): Promise<void> {
  const { motors, triggers, cameras, lights, endstops } = rig;
  const inOrder = { motor: motors, trigger: triggers, camera: cameras, light: lights, endstop: endstops };
  for (const kind of Object.keys(inOrder) as ComponentKind[]) {
    await Promise.all(
      [...inOrder[kind].values()].map((component) =>
        component.close().catch((err: unknown) => {
          faults.of(kind, component.name, err);
          log.error({ err, component: component.name }, "a component did not close well");
        }),
      ),
    );
  }
}

interface Driven {
  readonly driver?: DriverChoice | undefined;
}

interface Plan<Kind extends ComponentKind, Configured> {
  readonly kind: Kind;
  readonly configured: Readonly<Record<string, Configured>>;
  readonly settings: (of: Configured) => Components[Kind]["settings"];
  readonly scanRadiusMm: number;
}

interface Common<Kind extends ComponentKind> {
  readonly name: string;
  readonly settings: Components[Kind]["settings"];
  readonly driver: Components[Kind]["driver"];
  readonly fault: (cause: unknown) => ScanError;
}

function planComponents<Kind extends ComponentKind, Configured extends Driven>(
  { kind, configured, settings: settingsOf, scanRadiusMm }: Plan<Kind, Configured>,
  { drivers, clock, log, faults }: RigOptions,
) {
  const planned = Object.entries(configured).map(([name, component]) => ({
    name,
    component,
    open: drivers.resolve(kind, name, component.driver),
  }));
  return async <Built>(build: (common: Common<Kind>, component: Configured) => Built) => {
    const built = new Map<string, Built>();
    for (const { name, component, open } of planned) {
      const fault = (cause: unknown) => faults.of(kind, name, cause);
      const context = {
        name,
        settings: settingsOf(component),
        scanRadiusMm,
        clock,
        log: log.child({ [kind]: name }),
      };
      try {
        const driver = await open(context);
        try {
          built.set(name, build({ name, settings: context.settings, driver, fault }, component));
        } catch (error) {
          await driver.close();
          throw error;
        }
      } catch (err) {
        fault(err);
        log.error({ err, [kind]: name }, `this ${kind} cannot be used and is left out`);
      }
    }
    return built;
  };
}

function attach(endstop: Endstop, motors: ReadonlyMap<string, Motor>): Endstop {
  const { motor_name } = endstop.settings;
  const motor = motors.get(motor_name);
  if (!motor) throw new ScanError("invalid", `endstop ${endstop.name}: there is no motor ${motor_name}`);
  if (motor.endstop) {
    throw new ScanError(
      "invalid",
      `endstop ${endstop.name}: motor ${motor_name} has ${motor.endstop.name} already`,
    );
  }
  motor.attach(endstop);
  return endstop;
}

function withoutDriver<Settings>(configured: Settings & Driven) {
  const { driver: _, ...settings } = configured;
  return settings;
}
