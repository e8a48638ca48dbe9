import { z } from "zod";
import { defineEndpoint } from "./endpoint.js";
import { EndstopStatus } from "./endstop.js";
import { Angle } from "./scalars.js";
import { settingsEndpoints } from "./settings-endpoints.js";

export const MotorSettings = z
  .object({
    direction_pin: z.int().describe("BCM number"),
    enable_pin: z.int().describe("BCM number; the line is active low"),
    step_pin: z.int().describe("BCM number"),
    acceleration: z.int().min(1000).max(80_000).default(20_000).describe("steps/s²"),
    max_speed: z.int().min(1).max(7500).default(5000).describe("steps/s"),
    direction: z.literal([1, -1]).default(1).meta({ type: "integer" }),
    steps_per_rotation: z.int().min(1).meta({ minimum: undefined }),
    min_angle: Angle.default(0).describe("degrees"),
    max_angle: Angle.default(360).describe("degrees"),
    home_angle: Angle.default(90).describe("degrees"),
  })
  .refine((motor) => motor.min_angle <= motor.max_angle, {
    path: ["min_angle"],
    error: "min_angle must not be greater than max_angle",
  })
  .refine((motor) => motor.home_angle >= motor.min_angle && motor.home_angle <= motor.max_angle, {
    path: ["home_angle"],
    error: "home_angle must lie within min_angle and max_angle",
  });
export type MotorSettings = z.output<typeof MotorSettings>;

export const MotorStatus = z.object({
  name: z.string(),
  angle: z.number().describe("degrees"),
  busy: z.boolean(),
  target_angle: z.number().nullable().describe("degrees; null while the motor rests"),
  settings: MotorSettings,
  calibrated: z.boolean(),
  endstop: EndstopStatus.nullable().meta({
    documentedAs: (version) =>
      version === "0.8" ? { schema: { type: ["object", "null"], additionalProperties: true } } : {},
  }),
});
export type MotorStatus = z.output<typeof MotorStatus>;

const MotorName = z.object({ motor_name: z.string() });

export const listMotors = defineEndpoint({
  operationId: "get_motors",
  method: "get",
  path: "/motors/",
  describes: "device",
  response: z.record(z.string(), MotorStatus),
});
export const getMotor = defineEndpoint({
  operationId: "get_motor",
  method: "get",
  path: "/motors/{motor_name}",
  params: MotorName,
  describes: "device",
  response: MotorStatus,
});
export const moveMotorTo = defineEndpoint({
  operationId: "move_motor_to_angle",
  method: "put",
  path: "/motors/{motor_name}/angle",
  params: MotorName,
  query: z.object({ degrees: z.number() }),
  describes: "device",
  response: MotorStatus,
});
export const moveMotorBy = defineEndpoint({
  operationId: "move_motor_by_degree",
  method: "patch",
  path: "/motors/{motor_name}/angle",
  params: MotorName,
  body: z.object({ degrees: z.number() }),
  describes: "device",
  response: MotorStatus,
});
export const overrideMotorAngle = defineEndpoint({
  operationId: "override_motor_angle",
  method: "put",
  path: "/motors/{motor_name}/angle-override",
  params: MotorName,
  query: z.object({ angle: z.number().default(90) }),
  describes: "device",
  response: MotorStatus,
});
export const calibrateMotor = defineEndpoint({
  operationId: "motor_endstop_calibration",
  method: "put",
  path: "/motors/{motor_name}/endstop-calibration",
  params: MotorName,
  query: z.object({ force: z.boolean().default(false) }),
  describes: "device",
  response: MotorStatus,
});
export const homeMotor = defineEndpoint({
  operationId: "motor_move_home",
  method: "put",
  path: "/motors/{motor_name}/home",
  params: MotorName,
  describes: "device",
  response: MotorStatus,
});
/** Ends a movement between two steps, whoever asked for it; what asked for it is answered with 409. */
export const stopMotor = defineEndpoint({
  operationId: "stop_motor",
  method: "put",
  path: "/motors/{motor_name}/stop",
  params: MotorName,
  describes: "device",
  response: MotorStatus,
});
export const motorSettings = settingsEndpoints("motor", MotorSettings);
