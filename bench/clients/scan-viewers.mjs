// Everybody who watches a scan; forked with { port, healthy, slow, stalled }. Of the lowest priority: what is to be
// seen is whether the scan waits for them, not what it costs to run so many browsers beside it.
import { setPriority } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { WatchedStream } from "./watched-stream.mjs";
import { WebSocketReader } from "./web-socket.mjs";

const namespaces = ["device", "tasks"];
const slowly = { readBytes: 4096, readPauseMs: 250 };
const patienceMs = 10_000;
const viewers = [];
const problems = [];
let port;

function connect(namespace, options) {
  const reader = new WebSocketReader({ ...options, port, path: `/latest/ws/${namespace}?v=1` });
  return reader.opened.then(() => reader);
}

async function connectHealthy(known) {
  const streams = Object.fromEntries(namespaces.map((name) => [name, new WatchedStream(known[name])]));
  viewers.push(streams);
  for (const name of namespaces) {
    await connect(name, {
      onText(text) {
        try {
          streams[name].read(text);
        } catch ({ message }) {
          problems.push(`${name}: ${message}`);
        }
      },
      onClose: (reason) => problems.push(`${name}: ${reason}`),
    });
  }
}

async function connectBad(options) {
  for (const name of namespaces) {
    const reader = await connect(name, { ...options, onText: () => {}, onClose: () => {} });
    if (options === undefined) reader.stall();
  }
}

async function connectAll({ healthy, slow, stalled }) {
  const known = Object.fromEntries(namespaces.map((name) => [name, new Map()]));
  for (let count = 0; count < stalled; count++) await connectBad();
  for (let count = 0; count < slow; count++) await connectBad(slowly);
  for (let count = 0; count < healthy; count++) await connectHealthy(known);
  process.send({ ready: true });
}

/** What the healthy ones have seen, once all have seen the events up to these. */
async function conclude(upTo) {
  const isBehind = () =>
    viewers.some((streams) => namespaces.some((name) => streams[name].last < upTo[name]));
  for (let waitedMs = 0; isBehind() && waitedMs < patienceMs; waitedMs += 50) await sleep(50);
  if (isBehind()) problems.push(`not everybody got the events up to ${JSON.stringify(upTo)}`);
  const missed = viewers.flatMap((streams) => namespaces.map((name) => streams[name].missed));
  process.send({
    problems: problems.slice(0, 5),
    missed: missed.reduce((sum, count) => sum + count, 0),
    facts: viewers.map((streams) => streams.tasks.facts),
  });
}

setPriority(19);
process.on("message", (message) => {
  port ??= message.port;
  void (message.upTo ? conclude(message.upTo) : connectAll(message));
});
process.on("disconnect", () => process.exit());
