import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { limitConnections, parserLimits } from "./flood-limits.js";

const small = { connections: 3, headers: 10, idleMs: 200 };
const impatient = {
  ...parserLimits,
  headersTimeout: 100,
  requestTimeout: 200,
  connectionsCheckingInterval: 20,
};

async function start(server: Server): Promise<() => Socket> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return () => {
    const socket = connect(port, "127.0.0.1");
    socket.on("error", () => {});
    return socket;
  };
}

async function answerOf(socket: Socket): Promise<string> {
  let text = "";
  socket.on("data", (chunk: Buffer) => {
    text += chunk.toString();
  });
  await once(socket, "close");
  return text;
}

test("who sends no request, or sends it drop by drop, is sent away", async () => {
  const open = await start(createServer(impatient, (_req, res) => void res.end("ok")));
  const silent = open();
  const slowHeader = open();
  slowHeader.write("GET / HTTP/1.1\r\nHost: x\r\nX-Drop: ");
  const slowBody = open();
  slowBody.write("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nx");
  const answers = await Promise.all([silent, slowHeader, slowBody].map(answerOf));
  expect(answers.map((answer) => answer.split("\r\n")[0])).toEqual([
    "HTTP/1.1 408 Request Timeout",
    "HTTP/1.1 408 Request Timeout",
    "HTTP/1.1 200 OK", // the handler did not wait for the body; the connection ends all the same
  ]);
});

test("a reply that nobody reads ends after a while without a byte", async () => {
  const endless = Buffer.alloc(64 * 1024 * 1024);
  const server = createServer(parserLimits, (_req, res) => void res.end(endless));
  limitConnections(server, small);
  const open = await start(server);
  const reader = open();
  reader.pause();
  const closed = once(server, "connection").then(([socket]) => once(socket as Socket, "close"));
  reader.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  await closed;
});

test("connections and headers have a limit", async () => {
  const server = createServer(parserLimits, (req, res) => void res.end(`${Object.keys(req.headers).length}`));
  limitConnections(server, small);
  const open = await start(server);
  const kept = [open(), open(), open()];
  await Promise.all(kept.map((socket) => once(socket, "connect")));
  const dropped = once(server, "drop");
  const fourth = open();
  await Promise.all([dropped, once(fourth, "close")]);

  const many = kept[0] as Socket;
  many.write(
    `GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${Array.from({ length: 50 }, (_, i) => `X-${i}: 1\r\n`).join("")}\r\n`,
  );
  // Node 20 and 22 leave the rest out, Node 24 refuses.
  expect(await answerOf(many)).toMatch(/\r\n\r\n(?:2\r\n)?10|^HTTP\/1\.1 431 /);
  const huge = kept[1] as Socket;
  huge.write(`GET / HTTP/1.1\r\nHost: x\r\nX-Big: ${"x".repeat(20_000)}\r\n\r\n`);
  expect(await answerOf(huge)).toMatch(/^HTTP\/1\.1 431 /);
});
