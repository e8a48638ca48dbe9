import { once } from "node:events";
import { createServer, get, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import express from "express";
import { expect, onTestFinished, test } from "vitest";
import type { ZipEntry } from "../zip/write-zip.js";
import { readZip } from "../zip/testing.js";
import { sendZip } from "./send-zip.js";

const modified = new Date("2026-03-04T05:06:07Z");
const entry = (name: string, bytes: string | Uint8Array): ZipEntry => ({
  name,
  content: { bytes, modified },
});

/** Serves one archive at `/`. */
async function serve(entries: Iterable<ZipEntry>): Promise<{ url: string; failures: unknown[] }> {
  const failures: unknown[] = [];
  const application = express();
  application.get("/", async (req, res) => {
    const gone = new AbortController();
    res.once("close", () => gone.abort(new Error("gone")));
    const exchange = { req, res, signal: gone.signal, version: "0.9" as const };
    await sendZip(exchange, { name: "a b.zip", modified, entries }).catch((error: unknown) => {
      failures.push(error);
      res.destroy();
    });
  });
  const server = createServer(application).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, failures };
}

test("an archive is sent as a download of its name", async () => {
  const { url } = await serve([entry("a", "content")]);
  const reply = await fetch(url);
  expect(Object.fromEntries(reply.headers)).toMatchObject({
    "content-type": "application/zip",
    "content-disposition": 'attachment; filename="a b.zip"',
    "last-modified": "Wed, 04 Mar 2026 05:06:07 GMT",
  });
  expect(readZip(Buffer.from(await reply.arrayBuffer())).map(({ name }) => name)).toEqual(["a"]);
});

test("a failure on the way breaks the connection", async () => {
  function* failing() {
    yield entry("a", Buffer.alloc(3 * 2 ** 20));
    throw new Error("the disk is broken");
  }
  const { url, failures } = await serve(failing());
  await expect(fetch(url).then((reply) => reply.arrayBuffer())).rejects.toThrow(TypeError);
  expect(failures).toEqual([new Error("the disk is broken")]);
});

test("nothing more is read while the client does not read, and its leaving is no failure", async () => {
  let asked = 0;
  let end = () => {};
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  function* endless() {
    try {
      for (;;) yield entry(`${asked++}`, Buffer.alloc(2 ** 20));
    } finally {
      end();
    }
  }
  const { url, failures } = await serve(endless());
  const reply = await new Promise<IncomingMessage>((resolve) => get(url, resolve));
  reply.pause();
  // It goes on until the buffers between them are full: then nothing changes any more.
  for (let before = -1; before !== asked; ) {
    before = asked;
    await new Promise((later) => setTimeout(later, 200));
  }
  expect(asked).toBeGreaterThan(3);
  expect(asked).toBeLessThan(60);
  reply.destroy();
  await ended;
  const left = asked;
  await new Promise(setImmediate);
  expect(asked).toBe(left);
  expect(failures).toEqual([]);
});
