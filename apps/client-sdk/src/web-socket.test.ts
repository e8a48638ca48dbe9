import { afterEach, expect, test, vi } from "vitest";
import { WebSocket as FromPackage } from "ws";
import { findWebSocket } from "./web-socket.js";

afterEach(() => vi.unstubAllGlobals());

test("the runtime's own WebSocket comes first", async () => {
  const Own = function own() {};
  vi.stubGlobal("WebSocket", Own);
  expect(await findWebSocket()).toBe(Own);
});

test("without one, as in Node 20, the ws package is loaded", async () => {
  vi.stubGlobal("WebSocket", undefined);
  expect(await findWebSocket()).toBe(FromPackage);
});

test("without either, the error says what to do", async () => {
  vi.stubGlobal("WebSocket", undefined);
  await expect(findWebSocket("a-package-that-is-not-installed")).rejects.toMatchObject({
    final: true,
    message: expect.stringContaining("install ws, or pass createScannerClient({ WebSocket })"),
  });
});
