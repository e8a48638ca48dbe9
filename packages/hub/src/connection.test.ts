import { Writable } from "node:stream";
import { FakeClock, recordingLogger } from "@openscan/runtime/testing";
import { expect, test } from "vitest";
import { Connection, type ConnectionHost } from "./connection.js";
import { noCounts } from "./counters.js";
import { Heartbeat } from "./heartbeat.js";
import { defaultLimits } from "./limits.js";
import { Message } from "./message.js";
import { Stream } from "./stream.js";
import { Turn } from "./turn.js";

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

class FakeWebSocket {
  readyState = 1;
  readonly closes: unknown[] = [];
  terminated = false;
  on() {}
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
  const left: Connection[] = [];
  const counters = noCounts();
  const host: ConnectionHost = {
    clock,
    log,
    counters,
    heartbeat: new Heartbeat(clock),
    heard: () => {},
    flush: () => {},
    left: (connection) => left.push(connection),
  };
  const limits = { ...defaultLimits, mergeBytes: 5_000, pendingBytes: 5_000 };
  const source = { limits, counters, head: 0, restate: () => ["{}"] };
  const connection = new Connection({ webSocket, tcp }, host, new Stream(source, "legacy"));
  let seq = 0;
  const send = (text: string, size = 400) => {
    const turn = new Turn();
    turn.push(fact(++seq, text.padEnd(size - 4 - 2, ".")));
    connection.deliver(turn, "test", clock.monotonic());
  };
  const order = () => tcp.written.map((bytes) => bytes.toString().replaceAll(/[^a-z]/g, "")).join("");
  return { clock, log, tcp, webSocket, connection, left, counters, send, order };
}

/** Its JSON is a string of `text`, which with the frame's header and quotes is 6 bytes longer. */
function fact(seq: number, text: string): Message {
  const event = { type: "test", toJSON: () => text };
  const definition = {
    schema: {} as never,
    description: "",
    example: () => event,
    stateKey: () => undefined,
    merge: () => undefined,
    id: () => undefined,
    changed: () => undefined,
    legacy: () => event,
  };
  return new Message(event, definition, { seq, ts: "", at: 0 });
}

test("few events are handed to the socket, and later ones never overtake those that wait", async () => {
  const { tcp, connection, send, order } = openConnection();
  for (const text of "abcdefgh") send(text);
  expect(tcp.writableLength).toBe(1_200);
  expect(connection.pendingBytes).toBeGreaterThan(3_100);
  await tcp.take();
  expect(tcp.writableLength).toBeLessThan(1_000);
  send("i");
  while (connection.pendingBytes > 0) {
    await tcp.take();
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

test("facts above the limit close with 4008 at the next event, and release the queue", async () => {
  const { clock, log, tcp, webSocket, connection, left, counters, send } = openConnection();
  for (let count = 0; count < 15; count++) send("a");
  expect(connection.isOpen).toBe(true);
  expect(connection.pendingBytes - tcp.writableLength).toBeLessThanOrEqual(5_000);
  send("b");
  expect(webSocket.closes).toEqual([[4008, "too slow"]]);
  expect(counters.closedSlow).toBe(1);
  expect(connection.pendingBytes).toBe(tcp.writableLength);
  expect(log.lines).toEqual([
    {
      level: "warn",
      fields: {
        address: "192.0.2.7:4711",
        bytes: expect.any(Number),
        type: "test",
        code: 4008,
        reason: "too slow",
      },
      message: "closed a client",
    },
  ]);
  expect(log.lines[0]?.fields["bytes"]).toBeGreaterThan(5_000);
  await clock.advance(999);
  expect(webSocket.terminated).toBe(false);
  await clock.advance(1);
  expect(webSocket.terminated).toBe(true);
  await connection.whenGone();
  expect(left).toEqual([connection]);
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
