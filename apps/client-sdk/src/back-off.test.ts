import { expect, test } from "vitest";
import { backOff, reconnectDelay } from "./back-off.js";
import { closedError, ConnectionError } from "./connection-error.js";

const lost = closedError("ws://x", 1006, "");
const longest = () => 1;

test("the limit doubles from half a second to twenty", () => {
  expect([0, 1, 2, 3, 4, 5, 6, 2000].map((failures) => backOff(failures, longest))).toEqual([
    500, 1000, 2000, 4000, 8000, 16_000, 20_000, 20_000,
  ]);
});

test("jitter is full: any delay from nothing to the limit", () => {
  expect(reconnectDelay(lost, true, 3, () => 0)).toBe(0);
  expect(reconnectDelay(lost, true, 3, () => 0.25)).toBe(1000);
});

test.each([closedError("ws://x", 4009, ""), new ConnectionError("gap", { gap: true })])(
  "a wish to resync is met at once, unless nothing was delivered before",
  (error) => {
    expect(reconnectDelay(error, true, 5, longest)).toBe(0);
    expect(reconnectDelay(error, false, 1, longest)).toBe(1000);
  },
);

test("the server's wish is kept, spread over half a second", () => {
  const error = closedError("ws://x", 1012, JSON.stringify({ retry_after_ms: 3000 }));
  expect(reconnectDelay(error, true, 9, () => 0)).toBe(3000);
  expect(reconnectDelay(error, false, 9, longest)).toBe(3500);
});
