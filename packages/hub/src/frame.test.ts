import { once } from "node:events";
import type { AddressInfo } from "node:net";
import fc from "fast-check";
import { expect, test } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { encodeTextFrames } from "./frame.js";

/** A `ws` client's reading of the frames that `encodeTextFrames` makes, written to the server's TCP socket. */
async function readBack(texts: readonly string[]): Promise<string[]> {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  await once(server, "listening");
  server.on("connection", (_, request) => {
    for (const text of texts) request.socket.write(encodeTextFrames([text]));
  });
  const client = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const received: string[] = [];
  client.on("message", (bytes: Buffer, isBinary) => received.push(isBinary ? "binary" : bytes.toString()));
  while (received.length < texts.length) await once(client, "message");
  client.terminate();
  server.close();
  await once(server, "close");
  return received;
}

test("ws reads every length of header, and whatever follows a frame", async () => {
  const lengths = [0, 1, 125, 126, 127, 65_535, 65_536, 65_537, 1_000_000];
  const texts = lengths.flatMap((length) => ["x".repeat(length), `after ${length}`]);
  expect(await readBack(texts)).toEqual(texts);
});

test("lengths count bytes, not characters, around every boundary", async () => {
  const texts = [124, 125, 126, 65_534, 65_535, 65_536].flatMap((bytes) => [
    "ü".repeat(bytes / 2) + "x".repeat(bytes % 2),
    "😀".repeat(bytes / 4) + "x".repeat(bytes % 4),
    "€".repeat(bytes / 3) + "x".repeat(bytes % 3),
  ]);
  expect(await readBack(texts)).toEqual(texts);
});

test("ws reads any text", async () => {
  const texts = fc.sample(fc.string({ unit: "binary", maxLength: 300 }), { numRuns: 200, seed: 1 });
  expect(await readBack(texts)).toEqual(texts);
});

test("a frame owns its buffer", () => {
  const frame = encodeTextFrames(["small"]);
  expect(frame.buffer.byteLength).toBe(frame.length);
});
