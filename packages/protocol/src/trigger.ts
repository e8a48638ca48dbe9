import { z } from "zod";
import { defineEndpoint } from "./endpoint.js";
import { Timestamp } from "./scalars.js";
import { settingsEndpoints } from "./settings-endpoints.js";

/** `polarity` is another name of `active_level`, and overrides it; what is stored and reported is `active_level`. */
export const TriggerSettings = z.preprocess(
  (input) => {
    if (typeof input !== "object" || input === null || !("polarity" in input)) return input;
    return { ...input, active_level: input.polarity };
  },
  z.object({
    enabled: z.boolean().default(true),
    pin: z.int().min(0).describe("BCM number"),
    active_level: z.enum(["active_high", "active_low"]).default("active_high"),
    pulse_width_ms: z.int().min(1).max(5000).default(100),
  }),
);
export type TriggerSettings = z.output<typeof TriggerSettings>;

export const TriggerStatus = z.object({
  name: z.string(),
  busy: z.boolean(),
  settings: TriggerSettings,
  last_triggered_at: Timestamp.nullable().default(null),
  last_completed_at: Timestamp.nullable().default(null),
  last_duration_ms: z.int().nullable().default(null),
});
export type TriggerStatus = z.output<typeof TriggerStatus>;

export const TriggerExecution = z.object({
  name: z.string(),
  triggered_at: Timestamp,
  completed_at: Timestamp,
  duration_ms: z.int(),
});
export type TriggerExecution = z.output<typeof TriggerExecution>;

export const TriggerDelays = z.object({
  pre_trigger_delay_ms: z.int().min(0).max(30_000).default(0),
  post_trigger_delay_ms: z.int().min(0).max(30_000).default(0),
});
export type TriggerDelays = z.output<typeof TriggerDelays>;

const TriggerName = z.object({ trigger_name: z.string() });

export const listTriggers = defineEndpoint({
  operationId: "get_triggers",
  method: "get",
  path: "/triggers/",
  versions: ["next"],
  describes: "device",
  response: z.record(z.string(), TriggerStatus),
});
export const getTrigger = defineEndpoint({
  operationId: "get_trigger",
  method: "get",
  path: "/triggers/{trigger_name}",
  versions: ["next"],
  params: TriggerName,
  describes: "device",
  response: TriggerStatus,
});
export const fireTrigger = defineEndpoint({
  operationId: "trigger_once",
  method: "post",
  path: "/triggers/{trigger_name}/trigger",
  versions: ["next"],
  params: TriggerName,
  body: TriggerDelays.nullish().transform((delays) => delays ?? TriggerDelays.parse({})),
  describes: "device",
  response: TriggerExecution,
});
export const triggerSettings = settingsEndpoints("trigger", TriggerSettings, ["next"]);
