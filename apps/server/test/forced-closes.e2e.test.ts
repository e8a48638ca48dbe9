import { once } from "node:events";
import type { Socket } from "node:net";
import type { DeviceConfiguration } from "@openscan/protocol";
import { FakeClock, type LogLine, recordingLogger } from "@openscan/runtime/testing";
import { expect, onTestFinished, test } from "vitest";
import type { Api } from "./support/api.js";
import { quickConfiguration } from "./support/folder.js";
import { startServer } from "./support/in-process.js";
import { rawClient, textFrame } from "./support/raw-client.js";

/** A server whose log and time are ours. */
async function start(
  configuration?: DeviceConfiguration,
): Promise<{ api: Api; clock: FakeClock; closes: () => LogLine[] }> {
  const clock = new FakeClock();
  const log = recordingLogger();
  const { api } = await startServer(configuration, { clock, log });
  return { api, clock, closes: () => log.lines.filter(({ message }) => message === "closed a client") };
}

/** What the server knows a client by. */
function addressOf(socket: Socket): string {
  onTestFinished(() => void socket.destroy());
  return `${socket.localAddress}:${socket.localPort}`;
}

const hello = textFrame(Buffer.from("hello"));

test.each([
  ["a binary message", 1003, Buffer.from([0x82, 0x80, 0, 0, 0, 0])],
  ["a message that is too large", 1009, textFrame(Buffer.alloc(100_000, "x"))],
  ["no WebSocket frame", 1002, Buffer.from("GET / HTTP/1.1\r\n\r\n")],
  ["a flood of messages", 1008, Buffer.concat(Array<Buffer>(300).fill(hello))],
])("a client that sends %s is named", async (_, code, sent) => {
  const { api, clock, closes } = await start();
  const client = await rawClient(api, "tasks");
  const address = addressOf(client);
  client.write(sent);
  await once(client, "data");
  await clock.advance(1_000);
  expect(closes()).toMatchObject([
    { level: "warn", fields: { namespace: "tasks", address, code, bytes: expect.any(Number), type: "" } },
  ]);
});

test("a client that answers no pings is named", async () => {
  const { api, clock, closes } = await start();
  const deaf = await rawClient(api, "device");
  const address = addressOf(deaf);
  for (let tick = 0; tick < 3; tick++) await clock.advance(20_000);
  await once(deaf, "close");
  expect(closes()).toMatchObject([
    { fields: { namespace: "device", address, code: 1006, bytes: 0, type: "ping" } },
  ]);
});

test("a client that has to make room is named", async () => {
  const { api, clock, closes } = await start();
  const quietest = await rawClient(api, "tasks");
  const address = addressOf(quietest);
  await clock.advance(1);
  await Promise.all(Array.from({ length: 256 }, async () => addressOf(await rawClient(api, "device"))));
  expect(closes()).toMatchObject([{ fields: { namespace: "tasks", address, code: 1013, bytes: 0 } }]);
});

test("a client that does not read is named, with the bytes that it left", async () => {
  const configuration = await quickConfiguration();
  const [light] = Object.values(configuration.lights) as [DeviceConfiguration["lights"][string]];
  // Some 200 kB an event: the kernel takes a few MiB for a client that does not read.
  const lamps = Array.from({ length: 50 }, (_, number) => [
    `${number}${" very".repeat(400)} small lamp`,
    light,
  ]);
  const { api, clock, closes } = await start({
    ...configuration,
    lights: { ring: light, ...Object.fromEntries(lamps) },
  });
  const stalled = await rawClient(api, "device");
  const address = addressOf(stalled);
  stalled.pause();
  const toggle = () => api.call("PATCH", "/latest/lights/ring/toggle");
  const pending = async () => {
    const { body } = await api.call<string>("GET", "/metrics");
    return Number(/^openscan_queue_bytes (\d+)$/m.exec(body)?.[1]);
  };
  while ((await pending()) === 0) await toggle();
  await clock.advance(11_000);
  expect(closes()).toMatchObject([
    { fields: { namespace: "device", address, code: 4008, type: "device.status" } },
  ]);
  expect(closes()[0]?.fields["bytes"]).toBeGreaterThan(0);
});
