import { statfs } from "node:fs/promises";
import { uptime } from "node:os";
import { type DiskUsage, getSoftwareInfo } from "@openscan/protocol";
import { type Route, route } from "../http/route.js";

export interface SoftwareFacts {
  readonly version: string;
  readonly runtimeDir: string;
  readonly projectDir: string;
  readonly lastShutdownWasUnclean: () => boolean;
  readonly model: () => string | null;
}

export function softwareRoutes(facts: SoftwareFacts): Route[] {
  return [
    route(getSoftwareInfo, async () => ({
      model: facts.model(),
      firmware_version: facts.version,
      last_shutdown_was_unclean: facts.lastShutdownWasUnclean(),
      runtime_dir: facts.runtimeDir,
      runtime_disk: await diskUsage(facts.runtimeDir),
      projects_disk: await diskUsage(facts.projectDir),
      uptime_seconds: uptime(),
    })),
  ];
}

/** A folder that cannot be asked has no figures; that is no reason to answer nothing. */
async function diskUsage(path: string): Promise<DiskUsage | null> {
  try {
    const { blocks, bavail, bsize } = await statfs(path);
    const total = blocks * bsize;
    const free = bavail * bsize;
    return { total, used: total - free, free };
  } catch {
    return null;
  }
}
