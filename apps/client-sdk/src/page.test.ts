import { afterEach, expect, test, vi } from "vitest";
import { onPageWake } from "./page.js";

afterEach(() => vi.unstubAllGlobals());

test("a page that wakes up is noticed until it is undone", () => {
  const [window, document] = [new EventTarget(), new EventTarget()];
  vi.stubGlobal("window", window);
  vi.stubGlobal("document", document);
  const calls: number[] = [];
  const undo = onPageWake(() => calls.push(1));
  document.dispatchEvent(new Event("visibilitychange"));
  window.dispatchEvent(new Event("pageshow"));
  window.dispatchEvent(new Event("online"));
  expect(calls).toHaveLength(3);
  undo();
  document.dispatchEvent(new Event("visibilitychange"));
  window.dispatchEvent(new Event("online"));
  expect(calls).toHaveLength(3);
});

test("outside a browser nothing happens", () => {
  expect(() => onPageWake(() => {})()).not.toThrow();
});
