import type { Device } from "@openscan/hardware";
import {
  type DeviceStatus,
  getDevice,
  rebootScanner,
  ScanError,
  shutDownScanner,
  wakeDevice,
} from "@openscan/protocol";
import type { Configurations } from "../device/configurations.js";
import type { Machine } from "../device/machine.js";
import { type Route, route } from "../http/route.js";
import { deviceControl } from "./device-control.js";

interface Parts {
  readonly device: Device;
  readonly configurations: Configurations;
  /** Missing where there is no scanner to be switched off, only a computer that somebody works at. */
  readonly machine: Machine | undefined;
}

export function deviceRoutes({ device, configurations, machine }: Parts): Route[] {
  const done = deviceControl(device);
  const switchOff = (
    endpoint: typeof rebootScanner | typeof shutDownScanner,
    action: "reboot" | "shutdown",
  ) =>
    route(endpoint, async ({ query }, { res }) => {
      if (!machine) throw new ScanError("unsupported", `${action}: this server runs on no scanner`);
      if (query.save_config) await configurations.save(() => device.configuration());
      await machine.goDown(action);
      // Hardware is let go of only now that the machine goes down for certain, and the client has its answer.
      res.once("close", () => machine.goingDown(action));
      return true;
    });
  return [
    route(getDevice, () => {
      const status = device.status();
      assertConfigured(status);
      return status;
    }),
    route(wakeDevice, async () => {
      await device.wake();
      return done("Device is awake");
    }),
    switchOff(rebootScanner, "reboot"),
    switchOff(shutDownScanner, "shutdown"),
  ];
}

/** UIs open their set-up assistant when they read this text. */
function assertConfigured(status: Pick<DeviceStatus, "model" | "shield">): void {
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
