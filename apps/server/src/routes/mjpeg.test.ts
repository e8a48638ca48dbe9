import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Camera } from "@openscan/hardware";
import { ScanError } from "@openscan/protocol";
import { FakeClock } from "@openscan/runtime/testing";
import express from "express";
import { expect, onTestFinished, test } from "vitest";
import { streamPreview } from "./mjpeg.js";

test("a busy camera is asked again at the pace of the stream, and the stream goes on", async () => {
  const clock = new FakeClock();
  let asked = 0;
  const camera = {
    status: () => ({ busy: false }),
    preview: async () => {
      if (++asked <= 3) throw new ScanError("busy", "camera front is busy");
      return new TextEncoder().encode("frame four");
    },
  } as unknown as Camera;
  const viewer = new AbortController();
  const app = express();
  app.get("/", (_req, res) => streamPreview(camera, 10, { res, signal: viewer.signal, clock }));
  const server = createServer(app);
  onTestFinished(() => {
    viewer.abort();
    server.closeAllConnections();
    server.close();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const reply = await fetch(`http://127.0.0.1:${port}/`);
  await clock.advance(250);
  expect(asked).toBe(3);
  await clock.advance(50);
  expect(asked).toBe(4);
  const { value } = (await reply.body?.getReader().read()) ?? {};
  expect(Buffer.from(value ?? []).toString()).toContain("frame four");
});
