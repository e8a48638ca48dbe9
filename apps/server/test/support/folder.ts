import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { DeviceConfiguration } from "@openscan/protocol";
import type { Config } from "../../src/config.js";

/** A temporary place for one scanner: its settings, projects, task records and logs. */
export interface ScannerFolder {
  readonly directories: Pick<Config, "settingsDir" | "projectDir" | "runtimeDir" | "logDir">;
  remove(): Promise<void>;
}

/** The simulated Mini with fast motors and small pictures, so that a scan takes seconds. */
export async function quickConfiguration(): Promise<DeviceConfiguration> {
  const preset = fileURLToPath(new URL("../../presets/simulated_mini.json", import.meta.url));
  const configuration = DeviceConfiguration.parse(JSON.parse(await readFile(preset, "utf8")));
  for (const motor of Object.values(configuration.motors))
    Object.assign(motor, { steps_per_rotation: 3200, acceleration: 80_000, max_speed: 7500 });
  for (const camera of Object.values(configuration.cameras))
    Object.assign(camera.settings, { photo_resolution: [320, 240], preview_resolution: [160, 120] });
  return configuration;
}

export async function createFolder(configuration?: unknown): Promise<ScannerFolder> {
  const root = await mkdtemp(join(tmpdir(), "openscan-server-"));
  const directories = {
    settingsDir: join(root, "settings"),
    projectDir: join(root, "projects"),
    runtimeDir: join(root, "runtime"),
    logDir: join(root, "logs"),
  };
  if (configuration !== undefined) {
    await mkdir(join(directories.settingsDir, "device"), { recursive: true });
    await writeFile(
      join(directories.settingsDir, "device", "device_config.json"),
      JSON.stringify(configuration),
    );
  }
  return { directories, remove: () => rm(root, { recursive: true, force: true, maxRetries: 5 }) };
}
