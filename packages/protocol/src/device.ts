import { z } from "zod";
import { CameraStatus } from "./camera.js";
import { type ApiVersion, defineEndpoint, filledIn } from "./endpoint.js";
import { EndstopSettings } from "./endstop.js";
import { LightStatus } from "./light.js";
import { MotorStatus } from "./motor.js";
import { TriggerStatus } from "./trigger.js";

export const StartupMode = z.enum(["startup_idle", "startup_enabled"]);
export type StartupMode = z.output<typeof StartupMode>;

export const CalibrateMode = z.enum([
  "calibrate_manual",
  "calibrate_on_home",
  "calibrate_on_scan",
  "calibrate_on_wake",
]);
export type CalibrateMode = z.output<typeof CalibrateMode>;

/** 0.8 knows no device that is not configured. */
const configuredText = (version: ApiVersion) =>
  version === "0.8" ? { schema: { type: "string" } } : { optional: true };

/** The whole device at one moment: what REST answers and every `device.status` carries. */
export const DeviceStatus = z.object({
  name: z.string(),
  model: z.string().nullable().meta({ documentedAs: configuredText }),
  shield: z.string().nullable().meta({ documentedAs: configuredText }),
  cameras: z.record(z.string(), CameraStatus),
  motors: z.record(z.string(), MotorStatus),
  lights: z.record(z.string(), LightStatus),
  triggers: z.record(z.string(), TriggerStatus).meta({ ...filledIn, undocumented: ["0.8", "0.9"] }),
  endstops: z.record(z.string(), z.object({ settings: EndstopSettings })).meta({ undocumented: true }),
  motors_timeout: z.number().describe("s until the motors are released; 0 = never"),
  idle_timeout: z
    .number()
    .optional()
    .meta({ undocumented: true, description: "another name of motors_timeout" }),
  scan_radius_mm: z.number().default(1).describe("lens to turntable centre"),
  startup_mode: StartupMode,
  calibrate_mode: CalibrateMode,
  initialized: z.boolean(),
  idle: z.boolean().meta({ undocumented: true }),
});
export type DeviceStatus = z.output<typeof DeviceStatus>;

/** Something changed; `changed` names it by dotted paths, `null` when anything may have. */
export const DeviceStatusEvent = z.object({
  type: z.literal("device.status"),
  device: DeviceStatus,
  changed: z.array(z.string()).nullable(),
});
export type DeviceStatusEvent = z.output<typeof DeviceStatusEvent>;

export const DeviceControl = z.object({
  success: z.boolean(),
  message: z.string(),
  status: DeviceStatus,
});
export type DeviceControl = z.output<typeof DeviceControl>;

export const getDevice = defineEndpoint({
  operationId: "get_device_info",
  method: "get",
  path: "/device/info",
  describes: "device",
  response: DeviceStatus,
});
export const initializeDevice = defineEndpoint({
  operationId: "reinitialize_hardware",
  method: "post",
  path: "/device/configurations/current/initialize",
  query: z.object({ detect_cameras: z.boolean().default(false) }),
  describes: "device",
  response: DeviceControl,
});
export const saveConfiguration = defineEndpoint({
  operationId: "save_device_config",
  method: "patch",
  path: "/device/configurations/current",
  describes: "device",
  response: DeviceControl,
});
export const applyConfiguration = defineEndpoint({
  operationId: "set_config_file",
  method: "put",
  path: "/device/configurations/current",
  body: z.object({ config_file: z.string() }),
  describes: "device",
  response: DeviceControl,
});
export const listConfigurations = defineEndpoint({
  operationId: "list_config_files",
  method: "get",
  path: "/device/configurations",
  response: z.object({
    status: z.string(),
    configs: z.array(
      z.object({
        filename: z.string(),
        path: z.string(),
        name: z.string().optional(),
        model: z.string().nullable().optional(),
        shield: z.string().nullable().optional(),
      }),
    ),
  }),
});
/** Does nothing when the device is awake. */
export const wakeDevice = defineEndpoint({
  operationId: "wakeup_device",
  method: "post",
  path: "/device/wakeup",
  describes: "device",
  response: DeviceControl,
});
const powerEndpoint = <const Action extends "reboot" | "shutdown">(action: Action) =>
  defineEndpoint({
    operationId: action,
    method: "post",
    path: `/device/${action}` as const,
    query: z.object({ save_config: z.boolean().default(false) }),
    response: z.boolean(),
  });
export const rebootScanner = powerEndpoint("reboot");
export const shutDownScanner = powerEndpoint("shutdown");
export const moveScanner = defineEndpoint({
  operationId: "move_to_position",
  method: "put",
  path: "/develop/scanner-position",
  body: z.object({ theta: z.number(), fi: z.number(), r: z.number().default(1) }),
  describes: "device",
  response: z.null(),
});
