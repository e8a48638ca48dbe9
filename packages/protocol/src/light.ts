import { z } from "zod";
import { defineEndpoint } from "./endpoint.js";
import { settingsEndpoints } from "./settings-endpoints.js";

/** Of a line that is high. */
export const SUPPLY_VOLTS = 3.3;
const Volts = z.number().min(0).max(SUPPLY_VOLTS);

/** `pin` is another way to name one of `pins`; what is stored and reported is `pins` alone. */
export const LightSettings = z
  .object({
    pin: z.int().nullable().default(null).describe("BCM number"),
    pins: z.array(z.int()).nullable().default(null).describe("BCM numbers"),
    pwm_support: z.boolean().default(false),
    pwm_frequency: z
      .number()
      .min(50)
      .max(100_000)
      .default(10_000)
      .meta({ undocumented: true, description: "Hz" }),
    pwm_min: Volts.default(0).meta({ undocumented: true, description: "V at the lowest intensity" }),
    pwm_max: Volts.default(SUPPLY_VOLTS).meta({ undocumented: true, description: "V at full intensity" }),
  })
  .refine(({ pwm_min, pwm_max }) => pwm_min <= pwm_max, {
    path: ["pwm_min"],
    error: "pwm_min must not be greater than pwm_max",
  })
  .overwrite(({ pin, pins, ...rest }) => ({
    ...rest,
    pin: null,
    pins: [...new Set([...(pins ?? []), ...(pin === null ? [] : [pin])])],
  }));
export type LightSettings = z.output<typeof LightSettings>;

export const LightStatus = z.object({
  name: z.string(),
  is_on: z.boolean(),
  settings: LightSettings,
  value: z.number().min(0).max(100).optional().meta({
    undocumented: true,
    description: "percent of its full intensity with which it shines when it is on",
  }),
});
export type LightStatus = z.output<typeof LightStatus>;

const LightName = z.object({ light_name: z.string() });
const lightSwitch = <Verb extends string>(operationId: string, verb: Verb) =>
  defineEndpoint({
    operationId,
    method: "patch",
    path: `/lights/{light_name}/${verb}` as const,
    params: LightName,
    describes: "device",
    response: LightStatus,
  });

export const listLights = defineEndpoint({
  operationId: "get_lights",
  method: "get",
  path: "/lights/",
  describes: "device",
  response: z.record(z.string(), LightStatus),
});
export const getLight = defineEndpoint({
  operationId: "get_light",
  method: "get",
  path: "/lights/{light_name}",
  params: LightName,
  describes: "device",
  response: LightStatus,
});
export const turnOnLight = lightSwitch("turn_on_light", "turn_on");
export const turnOffLight = lightSwitch("turn_off_light", "turn_off");
export const toggleLight = lightSwitch("toggle_light", "toggle");
const Intensity = z.number().min(0).max(100);
/** Switches a light on with an intensity; 0 switches it off. The value may stand in the query or in the body. */
export const dimLight = defineEndpoint({
  operationId: "pwm_light",
  method: "put",
  path: "/lights/{light_name}/intensity",
  versions: ["next"],
  params: LightName,
  query: z.object({ value: Intensity.default(100) }),
  body: z
    .object({ value: Intensity.optional() })
    .nullish()
    .transform((body) => body?.value),
  describes: "device",
  response: LightStatus,
});
export const lightSettings = settingsEndpoints("light", LightSettings);
