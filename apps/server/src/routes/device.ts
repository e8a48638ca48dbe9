import type { Device } from "@openscan/hardware";
import {
  applyConfiguration,
  type DeviceControl,
  getDevice,
  initializeDevice,
  listConfigurations,
  ScanError,
  saveConfiguration,
} from "@openscan/protocol";
import type { TaskManager } from "@openscan/tasks";
import type { Configurations } from "../device/configurations.js";
import { type Route, route } from "../http/route.js";
import { requireNoScan } from "./scanner-in-use.js";

interface Parts {
  readonly device: Device;
  readonly configurations: Configurations;
  readonly tasks: TaskManager;
}

export function deviceRoutes({ device, configurations, tasks }: Parts): Route[] {
  const done = (message: string): DeviceControl => ({ success: true, message, status: device.status() });
  return [
    route(getDevice, () => {
      const status = device.status();
      assertConfigured(status);
      return status;
    }),
    route(listConfigurations, async () => ({ status: "success", configs: await configurations.list() })),
    route(saveConfiguration, async () => {
      await configurations.save(device.configuration());
      return done("Configuration saved");
    }),
    route(applyConfiguration, async ({ body }) => {
      const configuration = await configurations.read(body.config_file);
      requireNoScan(tasks, "apply a configuration");
      await device.initialize(configuration);
      await configurations.save(device.configuration());
      return done(`Configuration ${body.config_file} applied`);
    }),
    route(initializeDevice, async () => {
      const configuration = await configurations.current();
      requireNoScan(tasks, "initialize the hardware");
      await device.initialize(configuration);
      return done("Hardware initialized");
    }),
  ];
}

/** UIs open their set-up assistant when they read this text. */
function assertConfigured(status: { model: string | null; shield: string | null }): void {
  const missing = (["model", "shield"] as const).filter((key) => status[key] === null);
  if (missing.length === 0) return;
  const message = "Device configuration is not loaded.";
  const errors = missing.map((key) => ({
    type: "missing",
    loc: [key],
    msg: `${key} is not configured`,
    input: null,
  }));
  throw new ScanError("offline", message, { detail: { message, errors } });
}
