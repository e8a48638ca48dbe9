import type { DeviceStatus, Envelope, EventOf } from "@openscan/protocol";
import { type Feed, type Invalid, isObject } from "./feed.js";
import { RequestError } from "./request-error.js";

/** Servers of the legacy dialect give no envelope. A `device.delta` reaches the application as `device.status`. */
export type DeviceEvent = EventOf<"device"> & Partial<Envelope>;

/** The whole device as it is now; `null` while the scanner has no configuration yet. */
export interface DeviceResync {
  readonly type: "resync";
  readonly device: DeviceStatus | null;
}

type Item = DeviceEvent | DeviceResync | Invalid;

const NOT_CONFIGURED = "Device configuration is not loaded.";

export const deviceFeed: Feed<DeviceEvent, DeviceResync> = {
  name: "device",
  type: "device.status",
  isEvent: ({ device }) => isObject(device),

  async resync(rest, signal) {
    try {
      const device = await rest.get<DeviceStatus>("/device/info", { signal });
      if (!isObject(device)) throw new Error("GET /device/info answered something other than an object");
      return { type: "resync", device };
    } catch (error) {
      // Status 503, but 500 from older servers: only the text is common to both.
      if (error instanceof RequestError && error.detail.includes(NOT_CONFIGURED)) {
        return { type: "resync", device: null };
      }
      throw error;
    }
  },

  // Every event carries the whole device.
  fold: (_state, { device }) => ({ type: "resync", device }),

  compact(items) {
    const invalid = items.findLast((item) => item.type === "invalid");
    const states = items.filter((item) => item.type !== "invalid");
    const latest = states.at(-1);
    return [invalid, latest && merge(latest, states)].filter((item) => item !== undefined);
  },
};

/** The latest state; what changed is whatever any of them named, or `null` when one could not say. */
function merge(latest: Exclude<Item, Invalid>, states: readonly Exclude<Item, Invalid>[]): Item {
  if (latest.type === "resync") return latest;
  const changed = new Set<string>();
  for (const state of states) {
    if (state.type === "resync" || state.changed === null) return { ...latest, changed: null };
    for (const path of state.changed) changed.add(path);
  }
  return { ...latest, changed: [...changed] };
}
