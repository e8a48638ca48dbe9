import type { DeviceStatus, DeviceStatusEvent, Envelope, EventOf } from "@openscan/protocol";
import { type Feed, isObject, must } from "./feed.js";
import { patched } from "./json-patch.js";
import { RequestError } from "./request-error.js";

/** Servers of the legacy dialect give no envelope. A `device.delta` reaches the application as `device.status`. */
export type DeviceEvent = EventOf<"device"> & Partial<Envelope>;

const NOT_CONFIGURED = "Device configuration is not loaded.";

/** `null`: the scanner has no configuration yet. */
export const deviceFeed: Feed<DeviceStatus | null, DeviceEvent> = {
  name: "device",
  delta: "device.delta",
  snapshot: ({ device }) => whole(device),

  fold(state, message) {
    if (message.type === "device.status") return { state: whole(message["device"]), event: told(message) };
    if (message.type !== this.delta) return { state, event: told(message) };
    const { set, unset, ...rest } = message;
    must(isObject(set) && Array.isArray(unset), "set or unset");
    const device = state && patched(state, set, unset as string[]);
    return device ? { state: device, event: told({ ...rest, type: "device.status", device }) } : undefined;
  },

  async fetch(rest, signal) {
    try {
      return whole(await rest.request("GET", "/device/info", { signal }));
    } catch (error) {
      // Status 503, but 500 from older servers: only the text is common to both.
      if (error instanceof RequestError && error.detail.includes(NOT_CONFIGURED)) return null;
      throw error;
    }
  },

  stateKey: ({ type }) => (type === "device.status" ? type : undefined),
  merge(older, newer) {
    const [before, after] = [older as DeviceStatusEvent, newer as DeviceStatusEvent];
    const changed = before.changed && after.changed && [...new Set([before.changed, after.changed].flat())];
    return { ...after, changed };
  },
};

function whole(device: unknown): DeviceStatus {
  must(isObject(device), "the device");
  return device as unknown as DeviceStatus;
}

function told(message: object): DeviceEvent {
  return message as DeviceEvent;
}
