import { z } from "zod";
import { DeviceConfiguration, RunningConfiguration } from "./configuration.js";
import { DeviceControl } from "./device.js";
import { defineEndpoint } from "./endpoint.js";

/** One configuration file and what is in it. */
export const ConfigurationFile = z.object({
  status: z.string(),
  filename: z.string(),
  path: z.string(),
  config: z.record(z.string(), z.unknown()),
});
export type ConfigurationFile = z.output<typeof ConfigurationFile>;

const persisted = ["0.9", "next"] as const;

/** The configuration that the device starts with, with everything filled in that the file leaves out. */
export const getCurrentConfiguration = defineEndpoint({
  operationId: "get_current_config",
  method: "get",
  path: "/device/configurations/current",
  versions: persisted,
  response: ConfigurationFile,
});
/** A file as it is. */
export const getConfigurationFile = defineEndpoint({
  operationId: "get_config_file",
  method: "get",
  path: "/device/configurations/{filename}",
  versions: persisted,
  params: z.object({ filename: z.string() }),
  response: ConfigurationFile,
});

const FileName = z.object({ config_file: z.string() });
const addition = {
  operationId: "add_config_json",
  method: "post",
  path: "/device/configurations/",
  describes: "device",
  response: DeviceControl,
} as const;
/** Stores a configuration; the device goes on with its own. */
export const addConfiguration = defineEndpoint({
  ...addition,
  versions: persisted,
  body: z.object({ config_data: DeviceConfiguration, filename: FileName }),
});
export const addRunningConfiguration = defineEndpoint({
  ...addition,
  versions: ["0.8"],
  body: z.object({ config_data: RunningConfiguration, filename: FileName }),
});
