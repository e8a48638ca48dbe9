import { expect, test } from "vitest";
import { device } from "../test/support/fixtures.js";
import { type DeviceEvent, type DeviceResync, deviceFeed } from "./device-feed.js";
import { RequestError } from "./request-error.js";
import type { Rest } from "./rest.js";

const status = (name: string, changed: string[] | null): DeviceEvent => ({
  type: "device.status",
  device: device(name),
  changed,
});
const resync = (name: string): DeviceResync => ({ type: "resync", device: device(name) });
const signal = new AbortController().signal;

function failing(error: Error): Rest {
  const get = async () => {
    throw error;
  };
  return { get } as unknown as Rest;
}

test("merging keeps the latest device and the union of what changed", () => {
  expect(deviceFeed.compact([status("1", ["a", "b"]), status("2", ["b"]), status("3", ["c"])])).toEqual([
    status("3", ["a", "b", "c"]),
  ]);
});

test("anything may have changed when one of the merged events could not say, or was a snapshot", () => {
  expect(deviceFeed.compact([status("1", null), status("2", ["b"])])).toEqual([status("2", null)]);
  expect(deviceFeed.compact([resync("1"), status("2", ["b"])])).toEqual([status("2", null)]);
});

test("a snapshot replaces what came before it; the latest notice stays", () => {
  const notice = { type: "invalid", message: 1, reason: "" } as const;
  const last = { type: "invalid", message: 2, reason: "" } as const;
  expect(deviceFeed.compact([notice, status("1", ["a"]), last, resync("2")])).toEqual([last, resync("2")]);
  expect(deviceFeed.compact([notice, last])).toEqual([last]);
});

test.each([500, 503])("a device without a configuration is a state, not an error (HTTP %i)", async (code) => {
  const error = new RequestError("GET /device/info", {
    status: code,
    detail: "Failed: {'message': 'Device configuration is not loaded.'}",
  });
  expect(await deviceFeed.resync(failing(error), signal)).toEqual({ type: "resync", device: null });
});

test("every other failure is one", async () => {
  const error = new RequestError("GET /device/info", { status: 503, detail: "busy" });
  await expect(deviceFeed.resync(failing(error), signal)).rejects.toBe(error);
});

test("an answer that is no device is a failure", async () => {
  const rest = { get: async () => "<html>" } as unknown as Rest;
  await expect(deviceFeed.resync(rest, signal)).rejects.toThrow("something other than an object");
});
