// The subscribers of all servers, in one process; forked. Orders and replies are messages with an `id`.
import { Audience } from "./audience.mjs";

const audiences = new Map();
let startedCpu = process.cpuUsage();

const orders = {
  async open({ server, dialect, port, clients, stalled }) {
    const audience = audiences.get(server) ?? createAudience(server, dialect);
    await audience.open(port, clients, stalled);
  },
  expect({ server, events, step }) {
    audiences.get(server).expect(events, step);
    startedCpu = process.cpuUsage();
  },
  result({ server, sentAt }) {
    const { user, system } = process.cpuUsage(startedCpu);
    const audience = audiences.get(server);
    return { clientMicros: user + system, fewest: audience.fewest, latencies: audience.latencies(sentAt) };
  },
};

function createAudience(server, dialect) {
  const audience = new Audience({
    dialect,
    onGot: (got) => process.send({ server, got }),
    onFailed: (reason) => process.send({ server, failed: reason }),
  });
  audiences.set(server, audience);
  return audience;
}

async function obey({ id, order, ...details }) {
  try {
    process.send({ id, reply: await orders[order](details) });
  } catch ({ message }) {
    process.send({ id, failed: message });
  }
}

process.on("message", (message) => void obey(message));
process.on("disconnect", () => process.exit());
