// All subscribers, in one process: they check every byte of every message and acknowledge through the parent.
import { once } from "node:events";
import { WebSocket } from "ws";
import { deviceStatus, distinctEvents } from "./device-status.mjs";

const expected = Array.from({ length: distinctEvents }, (_, index) =>
  Buffer.from(JSON.stringify(deviceStatus(index))),
);
/** Messages of the current run that each client of a variant has got, by variant. */
const counts = new Map();
let current = { variant: "", events: 0, step: 1 };
/** Clients that have reached the next multiple of `step`. */
let reached = 0;
let acknowledged = 0;

async function connect({ variant, port, clients }) {
  const count = new Uint32Array(clients);
  counts.set(variant, count);
  for (let from = 0; from < clients; from += 100) {
    const group = Array.from({ length: Math.min(100, clients - from) }, (_, index) =>
      open(variant, port, count, from + index),
    );
    await Promise.all(group);
  }
  process.send({ connected: variant });
}

async function open(variant, port, count, client) {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/`, { perMessageDeflate: false });
  socket.on("message", (bytes) => {
    const index = count[client]++;
    if (variant !== current.variant || !bytes.equals(expected[index % distinctEvents])) {
      fail(`${variant}: client ${client} got something else than event ${index}`);
    }
    if (count[client] === acknowledged + current.step) advance(count);
  });
  socket.on("close", (code) => fail(`${variant}: client ${client} was closed with ${code}`));
  await once(socket, "open");
}

/** Acknowledges events that all clients have got. */
function advance(count) {
  if (++reached < count.length) return;
  const slowest = count.reduce((a, b) => Math.min(a, b));
  acknowledged += Math.floor((slowest - acknowledged) / current.step) * current.step;
  reached = count.filter((got) => got >= acknowledged + current.step).length;
  process.send({ received: acknowledged });
}

function fail(message) {
  process.send({ failed: message });
}

process.on("message", (message) => {
  if (message.connect) void connect(message.connect);
  if (!message.expect) return;
  current = message.expect;
  counts.get(current.variant).fill(0);
  reached = 0;
  acknowledged = 0;
  process.send({ ready: true });
});
process.on("disconnect", () => process.exit());
