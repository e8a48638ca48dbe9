import { once } from "node:events";
import { request } from "node:http";
import { connect } from "node:net";
import { expect, test } from "vitest";
import { WebSocket } from "ws";
import type { Refusal } from "./index.js";
import {
  drain,
  handshake,
  maskedTextFrame,
  openRig,
  parseFrames,
  legacyText,
  taskUpdate,
  turn,
} from "../test/rig.js";

/** All that the server answers to `bytes`. */
async function answerTo(port: number, bytes: string): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  socket.write(bytes);
  return (await drain(socket)).toString();
}

test.each(["/", "/tasks/", "/Tasks", "/unknown", "/tasks/device", "//tasks", "/tasks/?x=1", "/%ff", "*"])(
  "a handshake for %s is refused in the shape of the REST API",
  async (path) => {
    await using rig = await openRig();
    const [head, body] = (await answerTo(rig.port, handshake(path))).split("\r\n\r\n");
    expect(head?.split("\r\n")).toEqual([
      "HTTP/1.1 404 Not Found",
      "Content-Type: application/json",
      "Content-Length: 22",
      "Connection: close",
    ]);
    expect(body).toBe('{"detail":"Not Found"}');
  },
);

test("a WebSocket client sees the refusal as HTTP 404", async () => {
  await using rig = await openRig();
  const socket = new WebSocket(`ws://127.0.0.1:${rig.port}/unknown`);
  const [error] = (await once(socket, "error")) as [Error];
  expect(error.message).toBe("Unexpected server response: 404");
});

test("the query of a known path is not part of the route", async () => {
  await using rig = await openRig();
  const socket = new WebSocket(`ws://127.0.0.1:${rig.port}/tasks?anything=/else`);
  await once(socket, "open");
  expect(rig.hub.stats().connections.tasks.legacy).toBe(1);
});

/** The head of the answer to a handshake with further headers. */
async function answerHead(port: number, path: string, ...headers: string[]): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  socket.write(handshake(path).replace("\r\n\r\n", ["", ...headers, "", ""].join("\r\n")));
  let answer = "";
  while (!answer.includes("\r\n\r\n")) answer += String(await once(socket, "data"));
  socket.destroy();
  return answer.slice(0, answer.indexOf("\r\n\r\n"));
}

test.each([
  ["openscan.v1", "openscan.v1"],
  ["chat, openscan.v1, openscan.bearer.c2VjcmV0", "openscan.v1"],
  ["openscan.bearer.c2VjcmV0", "openscan.bearer.c2VjcmV0"],
  ["chat, openscan.bearer.c2VjcmV0", undefined],
  ["openscan.v2", undefined],
  ["chat", undefined],
])("of the subprotocols %s, %s is agreed to, and never compression", async (offer, echo) => {
  await using rig = await openRig();
  const head = await answerHead(
    rig.port,
    "/tasks",
    `Sec-WebSocket-Protocol: ${offer}`,
    "Sec-WebSocket-Extensions: permessage-deflate",
  );
  expect(head).toMatch(/^HTTP\/1\.1 101 /);
  expect(head.toLowerCase()).not.toContain("extensions");
  expect(/^Sec-WebSocket-Protocol: (.*)$/m.exec(head)?.[1]).toBe(echo);
});

test.each([
  ["no key", (text: string) => text.replace(/Sec-WebSocket-Key.*\r\n/, ""), 400],
  ["a bad key", (text: string) => text.replace(/(Sec-WebSocket-Key: ).*/, "$1short"), 400],
  ["another version", (text: string) => text.replace("Version: 13", "Version: 7"), 400],
  ["the version that has no Origin", (text: string) => text.replace("Version: 13", "Version: 8"), 400],
  ["no host", (text: string) => text.replace(/Host.*\r\n/, ""), 400],
  [
    "a broken subprotocol header",
    (text: string) => text.replace("\r\n\r\n", "\r\nSec-WebSocket-Protocol: a,,b\r\n\r\n"),
    400,
  ],
  ["another method", (text: string) => text.replace("GET", "POST"), 405],
])("a handshake with %s is refused in the shape of the REST API", async (_, change, status) => {
  await using rig = await openRig();
  const [head = "", body = ""] = (await answerTo(rig.port, change(handshake("/tasks")))).split("\r\n\r\n");
  expect(head).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  if (status === 400) expect(head).toContain("Sec-WebSocket-Version: 13");
  expect(JSON.parse(body)).toEqual({ detail: expect.any(String) });
  expect(rig.hub.stats().connections.tasks).toEqual({ legacy: 0, v1: 0 });
});

test.each(["Content-Length: 5\r\n\r\nhello", "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"])(
  "an offer of another protocol is declined: the request is answered as if it had not been made",
  async (rest) => {
    await using rig = await openRig();
    rig.server.prependListener("request", ({ method, url, headers }) => {
      expect({ method, url, custom: headers["x-custom"], upgrade: headers.upgrade }).toEqual({
        method: "POST",
        url: "/tasks?x=1",
        custom: "kept",
        upgrade: undefined,
      });
    });
    const socket = connect(rig.port, "127.0.0.1");
    socket.write("POST /tasks?x=1 HTTP/1.1\r\nHost: scanner\r\nConnection: Upgrade, HTTP2-Settings\r\n");
    socket.write(`Upgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\nX-Custom: kept\r\n${rest}`);
    let answer = "";
    while (!answer.includes("hello")) answer += String(await once(socket, "data"));
    expect(answer).toMatch(/^HTTP\/1\.1 418 /);
    socket.write(
      "POST /tasks?x=1 HTTP/1.1\r\nHost: scanner\r\nX-Custom: kept\r\nContent-Length: 5\r\n\r\nagain",
    );
    while (!answer.includes("again")) answer += String(await once(socket, "data"));
    expect(rig.hub.stats().connections.tasks.legacy).toBe(0);
  },
);

test("inbound text is ignored, whatever it says", async () => {
  await using rig = await openRig();
  const client = await rig.connect();
  for (const text of ["", '{"type":"pong"}', '{"type":"subscribe"}', "{broken", "😀", "x".repeat(65_536)]) {
    client.socket.send(text);
  }
  await client.inStep();
  rig.hub.publish("tasks", taskUpdate(1));
  await client.received(1);
  expect(client.messages).toEqual([legacyText(taskUpdate(1))]);
});

test.each([
  ["binary", Buffer.from([0, 255]), 1003],
  ["empty binary", Buffer.alloc(0), 1003],
  ["65537 bytes of text", "x".repeat(65_537), 1009],
  ["1 MB of text", "x".repeat(1_000_000), 1009],
  ["1 MB of binary", Buffer.alloc(1_000_000), 1009],
])("defect 14: %s closes that connection alone", async (_, message, code) => {
  await using rig = await openRig();
  const [offender, bystander] = await Promise.all([rig.connect(), rig.connect()]);
  offender.socket.send(message);
  expect((await offender.closed).code).toBe(code);
  rig.hub.publish("tasks", taskUpdate(1));
  await bystander.received(1);
  expect(offender.messages).toEqual([]);
  expect(rig.hub.stats().connections.tasks.legacy).toBe(1);
});

test.each([
  ["no WebSocket frame", Buffer.alloc(1_000, 0xff), 1002],
  ["text that is not UTF-8", Buffer.from([0x81, 0x81, 0, 0, 0, 0, 0xff]), 1007],
])("%s closes that connection", async (_, bytes, code) => {
  await using rig = await openRig();
  const client = await rig.connectRaw();
  client.write(bytes);
  const closeFrame = once(client, "data") as Promise<[Buffer]>;
  client.resume();
  const frames = parseFrames((await closeFrame)[0]);
  expect(frames.map(({ opcode, payload }) => [opcode, payload.readUInt16BE(0)])).toEqual([[8, code]]);
});

test("a frame that comes with the handshake is read", async () => {
  await using rig = await openRig({ connections: 2 });
  const quiet = await rig.connect();
  await rig.clock.advance(1_000);
  const eager = connect(rig.port, "127.0.0.1");
  eager.write(Buffer.concat([Buffer.from(handshake("/tasks")), maskedTextFrame("hello"), ping]));
  let answer = Buffer.alloc(0);
  eager.on("data", (chunk: Buffer) => {
    answer = Buffer.concat([answer, chunk]);
  });
  while (!answer.includes(pong)) await once(eager, "data");
  expect(rig.hub.stats().connections.tasks.legacy).toBe(2);
  eager.destroy();
  await rig.connect();
  await rig.connect();
  expect((await quiet.closed).code).toBe(1013);
});
const ping = Buffer.from([0x89, 0x80, 0, 0, 0, 0]);
const pong = Buffer.from([0x8a, 0]);

test("clients that reset or vanish at any stage of the handshake harm nobody", async () => {
  await using rig = await openRig();
  const witness = await rig.connect();
  const whole = handshake("/tasks");
  for (const path of ["/tasks", "/unknown"]) {
    for (const length of [0, 1, 20, handshake(path).length - 2, handshake(path).length]) {
      for (const leave of ["resetAndDestroy", "destroy", "end"] as const) {
        const socket = connect(rig.port, "127.0.0.1");
        socket.on("error", () => socket.destroy());
        await once(socket, "connect");
        socket.write(handshake(path).slice(0, length));
        socket[leave]();
      }
    }
  }
  const reset = await rig.connectRaw();
  reset.resetAndDestroy();
  const vanished = await rig.connectRaw();
  vanished.destroy();
  const halfOpen = connect(rig.port, "127.0.0.1");
  halfOpen.end(whole);
  await drain(halfOpen);
  while (rig.hub.stats().connections.tasks.legacy > 1) await turn();
  rig.hub.publish("tasks", taskUpdate(1));
  await witness.received(1);
  expect(rig.log.lines.filter(({ level }) => level === "error")).toEqual([]);
});

test("defect 18: a client that answers no pings is cut off after 60 s, one that answers stays", async () => {
  await using rig = await openRig();
  const living = await rig.connect();
  const dead = await rig.connectRaw();
  dead.on("end", () => dead.destroy());
  for (let second = 20; second < 60; second += 20) {
    await rig.clock.advance(20_000);
    dead.write(maskedTextFrame("only pongs count"));
    await living.inStep();
  }
  await rig.clock.advance(19_999);
  expect(rig.hub.stats().connections.tasks.legacy).toBe(2);
  await rig.clock.advance(1);
  await living.inStep();
  expect(rig.hub.stats().connections.tasks.legacy).toBe(1);
  const frames = parseFrames(await drain(dead));
  expect(frames.map(({ opcode }) => opcode)).toEqual([9, 1, 9, 1]);
  for (let second = 0; second < 120; second += 20) {
    await rig.clock.advance(20_000);
    await living.inStep();
  }
  expect(rig.hub.stats().connections.tasks.legacy).toBe(1);
});

test("after its undo the server answers upgrades without the hub, and connections live on", async () => {
  await using rig = await openRig();
  const client = await rig.connect();
  rig.detach();
  const upgrade = request({
    port: rig.port,
    path: "/tasks",
    headers: { Connection: "Upgrade", Upgrade: "websocket" },
  }).end();
  const [response] = await once(upgrade, "response");
  expect(response.statusCode).toBe(418);
  rig.hub.publish("tasks", taskUpdate(1));
  await client.received(1);
});

const forbidden: Refusal = { status: 403, detail: `no ${"ü".repeat(200)}`, closeCode: 4403 };

test("a client that is not admitted gets the status, the detail and the headers", async () => {
  const offers: unknown[] = [];
  await using rig = await openRig({}, (_, offered) => {
    offers.push(offered);
    return { status: 401, detail: "who are you?", headers: { "WWW-Authenticate": "Bearer" } };
  });
  const answer = await answerTo(rig.port, handshake("/tasks"));
  expect(answer).toMatch(/^HTTP\/1\.1 401 Unauthorized\r\n/);
  expect(answer).toContain("WWW-Authenticate: Bearer\r\n");
  expect(answer).toMatch(/\r\n\r\n\{"detail":"who are you\?"\}$/);
  await expect(rig.connect("tasks", "", ["openscan.v1", "chat"])).rejects.toThrow("401");
  expect(offers).toEqual([[], ["openscan.v1", "chat"]]);
});

test("with a close code, a client that offers v1 is accepted and told, and no other is", async () => {
  await using rig = await openRig({}, () => forbidden);
  await expect(rig.connect("tasks")).rejects.toThrow("403");
  await expect(rig.connect("tasks", "v=1")).rejects.toThrow("403");
  const client = await rig.connect("tasks", "", ["openscan.v1"]);
  const { code, reason } = await client.closed;
  expect(code).toBe(4403);
  expect(forbidden.detail.startsWith(reason)).toBe(true);
  expect(reason.length).toBeGreaterThan(50);
  expect(client.messages).toEqual([]);
  expect(rig.hub.stats().connections.tasks).toEqual({ legacy: 0, v1: 0 });
});

test("nobody is asked whether an unknown path may be opened", async () => {
  let asked = 0;
  await using rig = await openRig({}, () => void asked++);
  expect(await answerTo(rig.port, handshake("/unknown"))).toMatch(/^HTTP\/1\.1 404 /);
  expect(asked).toBe(0);
});

test("messages beyond 20 in a second are ignored, beyond 200 end the connection", async () => {
  await using rig = await openRig({ connections: 3 });
  const client = await rig.connect("tasks", "v=1");
  const legacy = await rig.connect("tasks");
  for (let count = 0; count < 25; count++) client.say({ type: "subscribe" });
  await client.inStep();
  expect(client.parsed.filter(({ snapshot }) => snapshot)).toHaveLength(1 + 20);
  await rig.clock.advance(1_000);
  client.say({ type: "subscribe" });
  for (let count = 1; count < 200; count++) client.say({ type: "noise" });
  await client.inStep();
  expect(client.parsed.filter(({ snapshot }) => snapshot)).toHaveLength(1 + 21);
  for (const { socket } of [client, legacy]) {
    for (let count = 0; count < 201; count++) socket.send("{}");
  }
  expect((await client.closed).code).toBe(1008);
  expect((await legacy.closed).code).toBe(1008);
  expect(rig.log.lines).toMatchObject([
    { level: "warn", fields: { code: 1008 } },
    { fields: { code: 1008 } },
  ]);
});

test("a client that pings without reading the answers is ended before they fill the memory", async () => {
  await using rig = await openRig();
  const flooder = await rig.connectRaw();
  const witness = await rig.connect();
  const ping = Buffer.alloc(6 + 125);
  ping.writeUInt16BE(0x89fd);
  const pings = Buffer.concat(Array.from({ length: 500 }, () => ping));
  let most = 0;
  while (rig.hub.stats().connections.tasks.legacy > 1) {
    flooder.write(pings);
    await turn();
    most = Math.max(most, rig.hub.stats().queuedBytes);
  }
  expect(most).toBeLessThan(100_000);
  await witness.inStep();
});
