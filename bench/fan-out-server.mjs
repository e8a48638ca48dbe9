// One publisher in a process of its own: node fan-out-server.mjs <variant>, driven by messages of the parent.
import { once } from "node:events";
import { createServer } from "node:http";
import { attachHub, Hub } from "@openscan/hub";
import { silentLogger, systemClock } from "@openscan/runtime";
import { WebSocketServer } from "ws";
import { deviceStatus } from "./device-status.mjs";

/** Each opens a fan-out on `server` and returns its `publish(event)`. */
const variants = {
  hub(server) {
    const hub = new Hub({ clock: systemClock, log: silentLogger, limits: { connections: 100_000 } });
    attachHub(server, hub, { route: () => "device" });
    return (event) => hub.publish("device", event);
  },
  string(server) {
    const { clients } = new WebSocketServer({ server, perMessageDeflate: false });
    return (event) => {
      const text = JSON.stringify(event);
      for (const client of clients) if (client.readyState === client.OPEN) client.send(text);
    };
  },
  naive(server) {
    const { clients } = new WebSocketServer({ server, perMessageDeflate: false });
    return (event) => {
      for (const client of clients) if (client.readyState === client.OPEN) client.send(JSON.stringify(event));
    };
  },
};

const server = createServer();
const publish = variants[process.argv[2]](server);
server.listen(0, "127.0.0.1", 4096);
await once(server, "listening");

let received = 0;
let wake = () => {};

/** Publishes `batch` events per turn, at most `window` events ahead of the slowest acknowledgement. */
async function run({ events, batch, window }) {
  received = 0;
  const startedAt = performance.now();
  const startedCpu = process.cpuUsage();
  for (let sent = 0; sent < events; ) {
    while (sent + batch - received > window) await acknowledgement();
    for (let inTurn = 0; inTurn < batch; inTurn++) publish(deviceStatus(sent++));
    await new Promise((resolve) => setImmediate(resolve));
  }
  while (received < events) await acknowledgement();
  const { user, system } = process.cpuUsage(startedCpu);
  process.send({ cpuMicros: user + system, wallMs: performance.now() - startedAt });
}

function acknowledgement() {
  return new Promise((resolve) => {
    wake = resolve;
  });
}

process.on("message", (message) => {
  if (message.run) void run(message.run);
  if (message.received === undefined) return;
  received = message.received;
  wake();
});
process.on("disconnect", () => process.exit());
process.send({ port: server.address().port });
