import { expect, test } from "vitest";
import { backOff, ReconnectDelay } from "./back-off.js";
import { closedError } from "./connection-error.js";

const lost = () => closedError("ws://x", 1006, "");
const longest = () => new ReconnectDelay(() => 1);

test("the limit doubles from half a second to twenty", () => {
  expect([0, 1, 2, 3, 4, 5, 6, 2000].map((failures) => backOff(failures, () => 1))).toEqual([
    500, 1000, 2000, 4000, 8000, 16_000, 20_000, 20_000,
  ]);
});

test("jitter is full: any delay from nothing to the limit", () => {
  expect(backOff(3, () => 0)).toBe(0);
  expect(backOff(3, () => 0.25)).toBe(1000);
});

test("only a connection that held for 30 s makes the next delay short again", () => {
  const delay = longest();
  expect([delay.after(lost(), undefined), delay.after(lost(), 0), delay.after(lost(), 29_999)]).toEqual([
    500, 1000, 2000,
  ]);
  expect(delay.after(lost(), 30_000)).toBe(500);
  expect(delay.after(lost(), undefined)).toBe(1000);
});

test("4009 comes back at once, unless it was said before anything was delivered", () => {
  const delay = longest();
  expect(delay.after(closedError("ws://x", 4009, ""), 10)).toBe(0);
  expect(delay.after(closedError("ws://x", 4009, ""), undefined)).toBe(1000);
});

test("the server's wish is kept, spread over half a second", () => {
  const reason = JSON.stringify({ retry_after_ms: 3000 });
  expect(new ReconnectDelay(() => 0).after(closedError("ws://x", 1012, reason), 5)).toBe(3000);
  expect(longest().after(closedError("ws://x", 1013, reason), undefined)).toBe(3500);
});

test("an error of another kind backs off too", () => {
  expect(longest().after(new Error("open timed out"), undefined)).toBe(500);
});
