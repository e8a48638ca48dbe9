import { expect, test } from "vitest";
import { device } from "../test/support/fixtures.js";
import { delta, status } from "../test/support/messages.js";
import { deviceFeed } from "./device-feed.js";
import { RequestError } from "./request-error.js";
import type { Rest } from "./rest.js";

const signal = new AbortController().signal;

function failing(error: Error): Rest {
  const request = async () => {
    throw error;
  };
  return { request } as unknown as Rest;
}

test("a delta is told as the whole status that it makes", () => {
  const folded = deviceFeed.fold(device("one"), { ...delta({ "/name": "two" }, [], ["name"]), seq: 5 });
  expect(folded).toEqual({ state: device("two"), event: { ...status(device("two"), ["name"]), seq: 5 } });
});

test("a delta to nothing, or to something else, does not fit", () => {
  expect(deviceFeed.fold(null, delta({ "/name": "two" }))).toBeUndefined();
  expect(deviceFeed.fold(device("one"), delta({ "/motors/m/angle": 1 }))).toBeUndefined();
});

test.each([
  { type: "device.status" },
  { type: "device.status", device: "one" },
  { type: "device.delta", set: 1, unset: [] },
  { type: "device.delta", set: {} },
])("%j is of no use", (message) => {
  expect(() => deviceFeed.fold(device("one"), message)).toThrow("of the wrong kind");
});

test("other events change nothing and are told as they are", () => {
  const state = device("one");
  const fault = { type: "device.fault", set: 1, unset: 2 };
  expect(deviceFeed.fold(state, fault)).toEqual({ state, event: fault });
});

test.each([500, 503])("a device without a configuration is a state, not an error (HTTP %i)", async (code) => {
  const error = new RequestError("GET /device/info", {
    status: code,
    detail: "Failed: {'message': 'Device configuration is not loaded.'}",
  });
  expect(await deviceFeed.fetch(failing(error), signal)).toBeNull();
});

test("every other failure is one", async () => {
  const error = new RequestError("GET /device/info", { status: 503, detail: "busy" });
  await expect(deviceFeed.fetch(failing(error), signal)).rejects.toBe(error);
});

test("an answer that is no device is a failure", async () => {
  const rest = { request: async () => "<html>" } as unknown as Rest;
  await expect(deviceFeed.fetch(rest, signal)).rejects.toThrow("the device is missing or of the wrong kind");
});
