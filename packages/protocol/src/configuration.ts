import { z } from "zod";
import { CameraSettings, CameraType } from "./camera.js";
import { CalibrateMode, StartupMode } from "./device.js";
import { EndstopSettings } from "./endstop.js";
import { LightSettings } from "./light.js";
import { MotorSettings } from "./motor.js";
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

const driven = <Settings extends z.ZodType<object>>(settings: Settings) =>
  z.intersection(settings, z.object({ driver: DriverChoice.optional() }));

export const CameraConfiguration = z.object({
  type: CameraType,
  path: z.string(),
  settings: CameraSettings.prefault({}),
  driver: DriverChoice.optional(),
});
export type CameraConfiguration = z.output<typeof CameraConfiguration>;
export const MotorConfiguration = driven(MotorSettings);
export type MotorConfiguration = z.output<typeof MotorConfiguration>;
export const LightConfiguration = driven(LightSettings);
export type LightConfiguration = z.output<typeof LightConfiguration>;
export const TriggerConfiguration = driven(TriggerSettings);
export type TriggerConfiguration = z.output<typeof TriggerConfiguration>;
export const EndstopConfiguration = z.object({
  settings: EndstopSettings,
  driver: DriverChoice.optional(),
});
export type EndstopConfiguration = z.output<typeof EndstopConfiguration>;

const byName = <T extends z.ZodType>(component: T) => z.record(z.string(), component);

/** A device configuration file, e.g. `device_config.json`. */
export const DeviceConfiguration = z.object({
  name: z.string(),
  model: z.enum(["classic", "mini", "midi", "custom"]).nullable().default(null),
  shield: z.enum(["greenshield", "blackshield", "custom"]).nullable().default(null),
  cameras: byName(CameraConfiguration).default({}),
  motors: byName(MotorConfiguration).default({}),
  lights: byName(LightConfiguration).default({}),
  triggers: byName(TriggerConfiguration).default({}),
  endstops: byName(EndstopConfiguration)
    .nullable()
    .default(null)
    .transform((endstops) => endstops ?? {}),
  motors_timeout: z.number().min(0).default(0).describe("s until the motors are released; 0 = never"),
  scan_radius_mm: z.number().positive().default(1).describe("lens to turntable centre"),
  startup_mode: StartupMode.default("startup_enabled"),
  calibrate_mode: CalibrateMode.default("calibrate_manual"),
});
export type DeviceConfiguration = z.output<typeof DeviceConfiguration>;
