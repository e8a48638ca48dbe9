import { z } from "zod";
import { filledIn } from "./endpoint.js";

export const EndstopSettings = z.object({
  pin: z.int().describe("BCM number"),
  angular_position: z.number().describe("degrees at which the motor touches it"),
  motor_name: z.string(),
  pull_up: z.boolean().nullable().default(true),
  bounce_time: z.number().nullable().default(0.005).describe("s"),
  active_high: z.boolean().nullable().default(false),
});
export type EndstopSettings = z.output<typeof EndstopSettings>;

export const EndstopStatus = z.object({
  assigned_motor: z.string(),
  position: z.number().describe("degrees"),
  pin: z.int(),
  is_pressed: z.boolean(),
  pull_up: z.boolean().nullable().meta(filledIn),
  active_high: z.boolean().nullable().meta(filledIn),
  bounce_time: z
    .number()
    .nullable()
    .meta({ ...filledIn, description: "s" }),
});
export type EndstopStatus = z.output<typeof EndstopStatus>;
