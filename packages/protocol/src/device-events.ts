import { z } from "zod";
import { DeviceStatus, DeviceStatusEvent } from "./device.js";
import { exampleDevice } from "./examples.js";
import { jsonDelta } from "./json-delta.js";
import { defineEvent } from "./namespace.js";

export const DeviceDelta = z.object({
  type: z.literal("device.delta"),
  set: z.record(z.string(), z.unknown()).describe("new values by JSON Pointer into the device"),
  unset: z.array(z.string()).describe("JSON Pointers of members that are gone"),
  changed: z.array(z.string()).nullable(),
});
export type DeviceDelta = z.output<typeof DeviceDelta>;

export const deviceStatus = defineEvent({
  schema: DeviceStatusEvent,
  description: "Something about the device changed; carries the whole device.",
  example: () => ({
    type: "device.status" as const,
    device: exampleDevice(),
    changed: ["motors.turntable.angle"],
  }),
  stateKey: () => "device",
  merge: (older, newer) => ({
    ...newer,
    changed: older.changed && newer.changed && [...new Set([...older.changed, ...newer.changed])],
  }),
  changed: ({ changed }) => changed,
  legacy: (event) => event,
  delta: (base, { device, changed }): DeviceDelta => ({
    type: "device.delta",
    ...jsonDelta(base.device, device),
    changed,
  }),
});

export const deviceFault = defineEvent({
  schema: z.object({
    type: z.literal("device.fault"),
    component: z.string().describe("kind and name, e.g. motors.turntable"),
    code: z.string().describe("e.g. hardware_fault, timeout"),
    message: z.string(),
  }),
  description: "A piece of hardware did not do what it was told.",
  example: () => ({
    type: "device.fault" as const,
    component: "cameras.imx519",
    code: "timeout",
    message: "camera imx519 delivered no picture within 10 s",
  }),
  changed: ({ component }) => [component],
});

export const DeviceSnapshot = DeviceStatusEvent.extend({ snapshot: z.literal(true) });
export type DeviceSnapshot = z.output<typeof DeviceSnapshot>;

/** The device as a snapshot tells it. */
export function deviceSnapshot(device: DeviceStatus): DeviceSnapshot {
  return { type: "device.status", device, changed: null, snapshot: true };
}
