import { z } from "zod";
import { type ApiVersion, apiVersions, defineEndpoint } from "./endpoint.js";

/** The three settings operations that cameras, motors, lights and triggers share. */
export function settingsEndpoints<
  Settings extends z.ZodType<object>,
  Kind extends "camera" | "motor" | "light" | "trigger" = "camera" | "motor" | "light" | "trigger",
>(kind: Kind, settings: Settings, versions: readonly ApiVersion[] = apiVersions) {
  const common = {
    path: `/${kind}s/{name}/settings` as const,
    describes: "device",
    params: z.object({ name: z.string() }),
    response: settings,
    versions,
  } as const;
  return {
    get: defineEndpoint({ ...common, operationId: `get_${kind}_name_settings`, method: "get" }),
    /** Omitted fields take their defaults. */
    replace: defineEndpoint({
      ...common,
      operationId: `replace_${kind}_name_settings`,
      method: "put",
      body: settings,
    }),
    /** Omitted and null fields keep their values. */
    update: defineEndpoint({
      ...common,
      operationId: `update_${kind}_name_settings`,
      method: "patch",
      body: z.record(z.string(), z.unknown()),
    }),
  };
}
