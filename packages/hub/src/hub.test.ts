import { once } from "node:events";
import { Socket } from "node:net";
import { type DeviceStatusEvent, namespaces } from "@openscan/protocol";
import { expect, test, vi } from "vitest";
import { openRig, legacyText, taskUpdate, turn } from "../test/rig.js";

const none = { legacy: 0, v1: 0 };

/** A value that counts how often it is serialised. */
function counted(value: unknown) {
  const counter = { count: 0, toJSON: () => (counter.count++, value) };
  return counter;
}

test("an event reaches every subscriber of its namespace, verbatim, and nobody else", async () => {
  await using rig = await openRig();
  const [first, second, other] = await Promise.all([rig.connect(), rig.connect(), rig.connect("device")]);
  rig.hub.publish("tasks", taskUpdate(1));
  const status = { type: "device.status", device: { name: "Mini" }, changed: null };
  rig.hub.publish("device", status as unknown as DeviceStatusEvent);
  await Promise.all([first.received(1), second.received(1), other.received(1)]);
  await Promise.all([first.inStep(), second.inStep(), other.inStep()]);
  expect(first.messages).toEqual([legacyText(taskUpdate(1))]);
  expect(second.messages).toEqual(first.messages);
  expect(other.messages).toEqual([JSON.stringify(status)]);
});

test("nothing is sent on connect, and what was published before stays in the past", async () => {
  await using rig = await openRig();
  const early = await rig.connect();
  rig.server.prependOnceListener("upgrade", () => rig.hub.publish("tasks", taskUpdate(1)));
  const late = await rig.connect();
  rig.hub.publish("tasks", taskUpdate(2));
  await Promise.all([early.received(2), late.received(1)]);
  expect(early.messages).toEqual([1, 2].map((current) => legacyText(taskUpdate(current))));
  expect(late.messages).toEqual([legacyText(taskUpdate(2))]);
});

test("an event is serialised once, and not at all when nobody listens", async () => {
  await using rig = await openRig();
  const result = counted("done");
  const event = taskUpdate(1);
  event.task.result = result;
  rig.hub.publish("tasks", event);
  expect(result.count).toBe(0);
  const device = await rig.connect("device");
  rig.hub.publish("tasks", event);
  expect(result.count).toBe(0);
  const clients = await Promise.all([rig.connect(), rig.connect(), rig.connect()]);
  rig.hub.publish("tasks", event);
  expect(result.count).toBe(1);
  await Promise.all(clients.map((client) => client.received(1)));
  expect(result.count).toBe(1);
  expect(device.messages).toEqual([]);
});

test("an event is the state at the moment of publishing", async () => {
  await using rig = await openRig();
  const client = await rig.connect();
  const event = taskUpdate(1);
  rig.hub.publish("tasks", event);
  event.task.status = "completed";
  rig.hub.publish("tasks", event);
  await client.received(2);
  expect(client.messages.map((text) => JSON.parse(text).task.status)).toEqual(["running", "completed"]);
});

test("the events of one turn reach each socket in one write of one shared buffer", async () => {
  await using rig = await openRig();
  const clients = await Promise.all([rig.connect(), rig.connect(), rig.connect()]);
  const write = vi.spyOn(Socket.prototype, "write");
  try {
    for (let current = 0; current < 8; current++) rig.hub.publish("tasks", taskUpdate(current));
    expect(write).not.toHaveBeenCalled();
    await Promise.all(clients.map((client) => client.received(8)));
    const buffers = write.mock.calls.map(([bytes]) => bytes);
    expect(buffers).toHaveLength(3);
    expect(new Set(buffers).size).toBe(1);
  } finally {
    write.mockRestore();
  }
});

test("what one turn publishes goes out in pieces once it exceeds 64 KiB", async () => {
  await using rig = await openRig();
  const client = await rig.connect();
  const write = vi.spyOn(Socket.prototype, "write");
  try {
    for (let current = 0; current < 9; current++) rig.hub.publish("tasks", taskUpdate(current, 16_000));
    const sizes = write.mock.calls.map(([bytes]) => bytes.length);
    expect(sizes.length).toBeGreaterThan(0);
    for (const size of sizes) expect(Math.floor(size / 16_384)).toBe(4);
    await client.received(9);
  } finally {
    write.mockRestore();
  }
});

test("an event that cannot be serialised is logged and costs only itself", async () => {
  await using rig = await openRig();
  const client = await rig.connect();
  const broken = taskUpdate(2);
  broken.task.result = {
    toJSON() {
      throw new Error("no JSON today");
    },
  };
  rig.hub.publish("tasks", taskUpdate(1));
  rig.hub.publish("tasks", broken);
  rig.hub.publish("tasks", taskUpdate(3));
  await client.received(2);
  expect(client.messages).toEqual([1, 3].map((current) => legacyText(taskUpdate(current))));
  expect(rig.log.lines).toMatchObject([
    {
      level: "error",
      fields: { namespace: "tasks", type: "task.update", err: { message: "no JSON today" } },
    },
  ]);
});

test("a ping comes after 30 s without a data frame, whatever the client says", async () => {
  await using rig = await openRig();
  const client = await rig.connect();
  await rig.clock.advance(20_000);
  client.socket.send("I am chatty");
  await client.inStep();
  await rig.clock.advance(9_999);
  await client.inStep();
  expect(client.messages).toEqual([]);
  await rig.clock.advance(1);
  await client.received(1);
  await rig.clock.advance(5_000);
  rig.hub.publish("tasks", taskUpdate(1));
  await client.received(2);
  await rig.clock.advance(29_999);
  await client.inStep();
  expect(client.messages).toEqual(['{"type":"ping"}', legacyText(taskUpdate(1))]);
  await rig.clock.advance(1);
  await client.received(3);
  expect(client.messages[2]).toBe('{"type":"ping"}');
});

test("defect 18: the quietest connection over all namespaces makes room for a new one", async () => {
  await using rig = await openRig({ connections: 3 });
  const talking = await rig.connect("tasks");
  await rig.clock.advance(1_000);
  const quietest = await rig.connect("device");
  await rig.clock.advance(1_000);
  const later = await rig.connect("tasks");
  await rig.clock.advance(1_000);
  talking.socket.send("still here");
  await talking.inStep();
  const newcomer = await rig.connect("tasks");
  const { code, reason } = await quietest.closed;
  expect({ code, reason: JSON.parse(reason) }).toEqual({ code: 1013, reason: { retry_after_ms: 10_000 } });
  expect(rig.hub.stats().connections).toMatchObject({ tasks: { legacy: 3, v1: 0 }, device: none });
  rig.hub.publish("tasks", taskUpdate(1));
  await Promise.all([talking, later, newcomer].map((client) => client.received(1)));
});

test("a connection that is closing already needs no room", async () => {
  await using rig = await openRig({ connections: 2 });
  const staying = await rig.connect();
  const closing = await rig.connectRaw();
  closing.write(Buffer.from([0x82, 0x80, 0, 0, 0, 0])); // binary, and no answer to the close that follows
  while (rig.hub.stats().connections.tasks.legacy > 1) await turn();
  await rig.connect();
  rig.hub.publish("tasks", taskUpdate(1));
  await staying.received(1);
  expect(rig.hub.stats().connections.tasks.legacy).toBe(2);
});

test("closing delivers what was published, then the code and the reason", async () => {
  await using rig = await openRig();
  const clients = await Promise.all([rig.connect("tasks"), rig.connect("tasks"), rig.connect("device")]);
  rig.hub.publish("tasks", taskUpdate(1));
  const reason = JSON.stringify({ retry_after_ms: 2_000 });
  await rig.hub.close(1012, reason);
  expect(await Promise.all(clients.map(({ closed }) => closed))).toEqual(
    clients.map(() => ({ code: 1012, reason })),
  );
  expect(clients[0]?.messages).toEqual([legacyText(taskUpdate(1))]);
  expect(rig.hub.stats()).toMatchObject({
    connections: { tasks: none, device: none },
    queuedBytes: 0,
    closedSlow: 0,
  });
  expect(rig.clock.pending).toBe(0);
});

test("closing waits one second for a client that does not answer", async () => {
  await using rig = await openRig();
  const deaf = await rig.connectRaw();
  let closed = false;
  const closing = rig.hub.close().then(() => {
    closed = true;
  });
  await rig.clock.advance(999);
  expect(closed).toBe(false);
  await rig.clock.advance(1);
  await closing;
  deaf.resume();
  await once(deaf, "close");
  expect(rig.clock.pending).toBe(0);
});

test("closing while an event is being published ends all connections in order", async () => {
  await using rig = await openRig();
  const client = await rig.connect();
  const event = taskUpdate(2);
  event.task.result = { toJSON: () => void rig.hub.close() };
  rig.hub.publish("tasks", taskUpdate(1));
  rig.hub.publish("tasks", event);
  rig.hub.publish("tasks", taskUpdate(3));
  expect(await client.closed).toEqual({ code: 1001, reason: "" });
  expect(client.messages).toEqual([legacyText(taskUpdate(1))]);
  await turn();
  expect(rig.log.lines).toEqual([]);
});

test("a closed hub refuses newcomers with 1001 and publishes to nobody", async () => {
  await using rig = await openRig();
  await rig.hub.close();
  const late = await rig.connect();
  rig.hub.publish("tasks", taskUpdate(1));
  expect((await late.closed).code).toBe(1001);
  expect(late.messages).toEqual([]);
});

test("a reason that does not fit into a close frame is rejected before anything is closed", async () => {
  await using rig = await openRig();
  await rig.connect();
  await expect(rig.hub.close(1012, "ü".repeat(62))).rejects.toMatchObject({ code: "invalid" });
  expect(rig.hub.stats().connections.tasks.legacy).toBe(1);
});

test("the hub knows exactly the namespaces of the protocol", async () => {
  await using rig = await openRig();
  expect(Object.keys(rig.hub.stats().connections)).toEqual(Object.keys(namespaces));
});
