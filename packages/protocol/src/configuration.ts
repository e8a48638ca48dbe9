import { z } from "zod";
import { CameraSettings, CameraType } from "./camera.js";
import { CalibrateMode, StartupMode } from "./device.js";
import { EndstopSettings } from "./endstop.js";
import { LightSettings } from "./light.js";
import { MotorSettings } from "./motor.js";
import { TurntableSign } from "./poses.js";
import { TriggerSettings } from "./trigger.js";

/**
 * Which driver a component uses; `"simulated"` is short for `{ "kind": "simulated" }`. Further members are
 * the driver's own settings. Without it the component is driven through its GPIO pins.
 */
export const DriverChoice = z.union([
  z.looseObject({ kind: z.string() }),
  z.string().transform((kind): { kind: string; [setting: string]: unknown } => ({ kind })),
]);
export type DriverChoice = z.output<typeof DriverChoice>;

const driver = DriverChoice.optional().meta({ undocumented: true });

const driven = <Settings extends z.ZodType<object>>(settings: Settings) =>
  z.intersection(settings, z.object({ driver }));

/** Any text passes for clients that were generated from the older backend's document; here it must be a known one. */
const calledText = { documentedAs: () => ({ schema: { type: "string" } }) };

export const CameraConfiguration = z.object({
  type: CameraType.meta(calledText),
  path: z.string(),
  settings: CameraSettings.prefault({}),
  driver,
});
export type CameraConfiguration = z.output<typeof CameraConfiguration>;
export const MotorConfiguration = driven(MotorSettings);
export type MotorConfiguration = z.output<typeof MotorConfiguration>;
export const LightConfiguration = driven(LightSettings);
export type LightConfiguration = z.output<typeof LightConfiguration>;
export const TriggerConfiguration = driven(TriggerSettings);
export type TriggerConfiguration = z.output<typeof TriggerConfiguration>;
export const EndstopConfiguration = z.object({ settings: EndstopSettings, driver });
export type EndstopConfiguration = z.output<typeof EndstopConfiguration>;

const byName = <T extends z.ZodType>(component: T) => z.record(z.string(), component);

const ScannerModel = z.enum(["classic", "mini", "midi", "custom"]);
const ScannerShield = z.enum(["greenshield", "blackshield", "custom"]);
const orNull = { documentedAs: () => ({ schema: { type: ["string", "null"] } }) };

const calledMode = (defaultMode: string) => ({
  documentedAs: () => ({ schema: { type: "string", default: defaultMode } }),
});

/** What may be left out of a configuration: it is then empty. */
const components = <T extends z.ZodType>(component: T) =>
  byName(component).default({}).meta({ default: undefined });

/** `idle_timeout` is another name of `motors_timeout`, which wins; what is stored is `motors_timeout`. */
function withTimeout(input: unknown): unknown {
  if (typeof input !== "object" || input === null || !("idle_timeout" in input)) return input;
  const { idle_timeout, ...rest } = input;
  return { motors_timeout: idle_timeout, ...rest };
}

const Fields = z.object({
  name: z.string(),
  model: ScannerModel.nullable().default(null).meta(orNull),
  shield: ScannerShield.nullable().default(null).meta(orNull),
  cameras: components(CameraConfiguration),
  motors: components(MotorConfiguration),
  lights: components(LightConfiguration),
  triggers: components(TriggerConfiguration),
  endstops: byName(EndstopConfiguration)
    .nullable()
    .default(null)
    .transform((endstops) => endstops ?? {}),
  motors_timeout: z.number().min(0).default(0).meta({
    minimum: undefined,
    description: "s until the motors are released; 0 = never",
  }),
  scan_radius_mm: z.number().positive().default(1).describe("lens to turntable centre"),
  turntable_sign: TurntableSign.default(1).meta({ undocumented: true }),
  startup_mode: StartupMode.default("startup_enabled").meta(calledMode("startup_enabled")),
  calibrate_mode: CalibrateMode.default("calibrate_manual").meta(calledMode("calibrate_manual")),
});

/** A device configuration file, e.g. `device_config.json`. */
export const DeviceConfiguration = z.preprocess(withTimeout, Fields) as z.ZodType<
  z.output<typeof Fields>,
  z.input<typeof Fields>
>;
export type DeviceConfiguration = z.output<typeof DeviceConfiguration>;

const named = <Settings extends z.ZodType>(settings: Settings) => z.object({ name: z.string(), settings });

/**
 * A configuration as 0.8 describes it: of the running device rather than of a file. What belongs to it only while
 * it runs is left out of the file, and so are triggers, as ever.
 */
export const RunningConfiguration = z
  .object({
    name: z.string(),
    model: ScannerModel.nullable(),
    shield: ScannerShield.nullable(),
    cameras: byName(
      z.object({ type: CameraType, name: z.string(), path: z.string(), settings: CameraSettings, driver }),
    ),
    motors: byName(
      z.object({
        name: z.string(),
        settings: MotorSettings.nullable(),
        angle: z.number().default(90),
        driver,
      }),
    ),
    lights: byName(named(LightSettings).extend({ driver })),
    triggers: components(named(TriggerSettings)),
    endstops: byName(named(EndstopSettings.nullable()).extend({ driver })).nullable(),
    motors_timeout: z.number().min(0).default(0).meta({ minimum: undefined }),
    scan_radius_mm: z.number().positive().default(1).meta({ exclusiveMinimum: undefined }),
    turntable_sign: TurntableSign.default(1).meta({ undocumented: true }),
    startup_mode: StartupMode.default("startup_enabled"),
    calibrate_mode: CalibrateMode.default("calibrate_manual"),
  })
  .superRefine(({ motors, endstops }, context) => {
    for (const [kind, described] of Object.entries({ motors, endstops }))
      for (const [name, { settings }] of Object.entries(described ?? {}))
        if (settings === null)
          context.addIssue({ code: "custom", path: [kind, name, "settings"], message: "must not be null" });
  });
export type RunningConfiguration = z.output<typeof RunningConfiguration>;

/** @throws ZodError for what a `RunningConfiguration` cannot be */
export function configurationOf(running: RunningConfiguration): DeviceConfiguration {
  const { cameras, motors, lights, triggers: _, endstops, ...rest } = running;
  const flat = ({ settings, driver }: { settings: object | null; driver?: DriverChoice | undefined }) => ({
    ...settings,
    ...(driver && { driver }),
  });
  return DeviceConfiguration.parse({
    ...rest,
    cameras,
    motors: mapped(motors, flat),
    lights: mapped(lights, flat),
    endstops: mapped(endstops ?? {}, ({ settings, driver }) => ({ settings, ...(driver && { driver }) })),
  });
}

function mapped<T, Result>(
  values: Readonly<Record<string, T>>,
  change: (value: T) => Result,
): Record<string, Result> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, change(value)]));
}
