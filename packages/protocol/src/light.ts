import { z } from "zod";
import { defineEndpoint } from "./endpoint.js";
import { settingsEndpoints } from "./settings-endpoints.js";

/** `pin` is another way to name one of `pins`; what is stored and reported is `pins` alone. */
export const LightSettings = z
  .object({
    pin: z.int().nullable().default(null).describe("BCM number"),
    pins: z.array(z.int()).nullable().default(null).describe("BCM numbers"),
    pwm_support: z.boolean().default(false),
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
export const lightSettings = settingsEndpoints("light", LightSettings);
