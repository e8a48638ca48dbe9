import { EventEmitter } from "node:events";
import type { Socket } from "node:net";
import { Writable } from "node:stream";
import { FakeClock, recordingLogger } from "@openscan/runtime/testing";
import { expect, test } from "vitest";
import type { WebSocket } from "ws";
import { Connection } from "./connection.js";

/** A TCP socket whose kernel takes what was written only when told to. */
class SlowSocket extends Writable {
  readonly remoteAddress = "192.0.2.7";
  readonly remotePort = 4711;
  readonly written: Buffer[] = [];
  bytesWritten = 0;
  #take: (() => void) | undefined;

  override _write(bytes: Buffer, _: unknown, done: () => void): void {
    this.written.push(bytes);
    this.#take = done;
  }

  override write(bytes: Buffer): boolean {
    this.bytesWritten += bytes.length;
    return super.write(bytes);
  }

  /** The kernel takes the write in progress; the next one follows in this turn. */
  async take(): Promise<void> {
    this.#take?.();
    await new Promise((resolve) => process.nextTick(resolve));
  }
}

class FakeWebSocket extends EventEmitter {
  readonly OPEN = 1;
  readyState = 1;
  readonly closes: unknown[] = [];
  terminated = false;
  ping() {}
  close(code: number, reason: string) {
    this.closes.push([code, reason]);
  }
  terminate() {
    this.terminated = true;
  }
}

function openConnection({ highWaterMark = 1_000 } = {}) {
  const clock = new FakeClock();
  const log = recordingLogger();
  const tcp = new SlowSocket({ highWaterMark });
  const webSocket = new FakeWebSocket();
  const connection = new Connection(
    { webSocket: webSocket as unknown as WebSocket, tcp: tcp as unknown as Socket },
    { clock, log, maxPendingBytes: 5_000, onTooSlow: () => {} },
  );
  const send = (text: string, size = 400) =>
    connection.send({ bytes: Buffer.from(text.padEnd(size, ".")), type: "test" });
  const order = () => tcp.written.map((bytes) => bytes.toString().replaceAll(".", "")).join("");
  return { clock, log, tcp, webSocket, connection, send, order };
}

test("few batches are handed to the socket, and later ones never overtake those that wait", async () => {
  const { tcp, connection, send, order } = openConnection();
  for (const text of "abcdefgh") send(text);
  expect(tcp.writableLength).toBe(1_200);
  expect(connection.pendingBytes).toBe(3_200);
  await tcp.take();
  expect(tcp.writableLength).toBeLessThan(1_000);
  send("i");
  while (connection.pendingBytes > 0) {
    await tcp.take();
    expect(tcp.writableLength).toBeLessThanOrEqual(1_200);
  }
  expect(order()).toBe("abcdefghi");
});

test("nothing is written after the peer has begun to close", () => {
  const { tcp, webSocket, connection, send } = openConnection();
  webSocket.readyState = 2;
  send("a");
  expect(tcp.written).toEqual([]);
  expect(connection.pendingBytes).toBe(0);
});

test("more than the limit pending closes with 4008 at the next event, and releases the queue", async () => {
  const { clock, log, tcp, webSocket, connection, send } = openConnection();
  for (let count = 0; count < 13; count++) send("a");
  expect(connection.open).toBe(true);
  send("b");
  expect(webSocket.closes).toEqual([[4008, "too slow"]]);
  expect(connection.pendingBytes).toBe(tcp.writableLength);
  expect(log.lines).toEqual([
    {
      level: "warn",
      fields: { address: "192.0.2.7:4711", bytes: 5_200, type: "test" },
      message: "closed a client that is too slow",
    },
  ]);
  await clock.advance(999);
  expect(webSocket.terminated).toBe(false);
  await clock.advance(1);
  expect(webSocket.terminated).toBe(true);
  await connection.gone;
  expect(clock.pending).toBe(0);
});

test("the 10 s start again with every write that the kernel takes, and end with the last", async () => {
  const { clock, tcp, webSocket, send } = openConnection();
  for (const text of "abc") send(text);
  for (let write = 0; write < 3; write++) {
    await clock.advance(9_000);
    await tcp.take();
  }
  expect(tcp.writableLength).toBe(0);
  await clock.advance(2_000);
  expect(webSocket.closes).toEqual([]);
  send("d");
  await clock.advance(9_999);
  expect(webSocket.closes).toEqual([]);
  await clock.advance(1);
  expect(webSocket.closes).toEqual([[4008, "too slow"]]);
});
