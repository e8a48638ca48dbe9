import { afterEach, expect, test, vi } from "vitest";
import { onPageWake } from "./page.js";

afterEach(() => vi.unstubAllGlobals());

test("a page that wakes up is noticed until it is undone", () => {
  const window = new EventTarget();
  vi.stubGlobal("window", window);
  const calls: string[] = [];
  const undo = onPageWake(({ type }) => calls.push(type));
  const types = ["visibilitychange", "pageshow", "online", "offline"];
  for (const type of types) window.dispatchEvent(new Event(type));
  expect(calls).toEqual(types);
  undo();
  for (const type of types) window.dispatchEvent(new Event(type));
  expect(calls).toEqual(types);
});

test("outside a browser nothing happens", () => {
  expect(() => onPageWake(() => {})()).not.toThrow();
});
