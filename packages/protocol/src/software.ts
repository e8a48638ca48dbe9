import { z } from "zod";
import { defineEndpoint } from "./endpoint.js";

export const DiskUsage = z.object({
  total: z.int().describe("bytes"),
  used: z.int().describe("bytes"),
  free: z.int().describe("bytes"),
});
export type DiskUsage = z.output<typeof DiskUsage>;

export const SoftwareInfo = z.object({
  model: z.string().nullable().default(null),
  firmware_version: z.string(),
  last_shutdown_was_unclean: z.boolean(),
  runtime_dir: z.string(),
  runtime_disk: DiskUsage.nullable().default(null),
  projects_disk: DiskUsage.nullable().default(null),
  uptime_seconds: z.number().nullable().default(null).describe("of the system"),
});
export type SoftwareInfo = z.output<typeof SoftwareInfo>;

/** `GET /versions`, at the root only. */
export const Versions = z.object({ versions: z.array(z.string()), latest: z.string() });
export type Versions = z.output<typeof Versions>;

/** `GET /health`, at the root only. */
export const Health = z.object({
  status: z.enum(["ok", "starting", "stopping"]),
  version: z.string(),
  uptime_seconds: z.number().describe("of the server process"),
});
export type Health = z.output<typeof Health>;

export const getSoftwareInfo = defineEndpoint({
  operationId: "get_software_info",
  method: "get",
  path: "/",
  response: SoftwareInfo,
});
