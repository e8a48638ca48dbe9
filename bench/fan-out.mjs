import { fork } from "node:child_process";

/** Compared with each other; `hub` is ours, `string` is the one that the ratios refer to. */
export const variants = {
  hub: "@openscan/hub",
  string: "ws, stringify once, send per client",
  naive: "ws, stringify and send per client",
};

const deliveriesPerRun = { 1: 20_000, 8: 32_000 };
const deliveriesInFlight = 4_000;

/**
 * Measures publishing to `clients` subscribers for every variant, interleaved, each server in its own process.
 *
 * @param {{ clients: number, batches: number[], rounds: number }} plan `batches`: events per turn
 * @returns one row per batch and variant: medians of server CPU in µs per delivery, and deliveries per second
 */
export async function measureFanOut({ clients, batches, rounds }) {
  const subscribers = start("fan-out-clients.mjs");
  const servers = new Map();
  try {
    for (const variant of Object.keys(variants)) {
      const server = start("fan-out-server.mjs", variant);
      servers.set(variant, server);
      const { port } = await server.next("port");
      subscribers.process.send({ connect: { variant, port, clients } });
      await subscribers.next("connected");
    }
    const samples = new Map();
    for (let round = -1; round < rounds; round++) {
      for (const batch of batches) {
        for (const [variant, server] of servers) {
          const sample = await run({ variant, server, subscribers, clients, batch, isWarmUp: round < 0 });
          const key = `${batch} ${variant}`;
          if (round >= 0) samples.set(key, [...(samples.get(key) ?? []), sample]);
        }
      }
    }
    return batches.flatMap((batch) =>
      Object.keys(variants).map((variant) => {
        const own = samples.get(`${batch} ${variant}`);
        return {
          clients,
          batch,
          variant,
          cpuMicros: median(own.map((sample) => sample.cpuMicros)),
          perSecond: median(own.map((sample) => sample.perSecond)),
        };
      }),
    );
  } finally {
    subscribers.process.disconnect();
    for (const server of servers.values()) server.process.disconnect();
  }
}

async function run({ variant, server, subscribers, clients, batch, isWarmUp }) {
  const window = batch * Math.max(2, Math.round(deliveriesInFlight / clients / batch));
  const step = window / 2;
  const wanted = (deliveriesPerRun[batch] ?? deliveriesPerRun[8]) / (isWarmUp ? 4 : 1) / clients;
  const events = window * Math.max(1, Math.round(wanted / window));
  subscribers.process.send({ expect: { variant, events, step } });
  await subscribers.next("ready");
  const relay = (message) => {
    if (message.received !== undefined) server.process.send(message);
  };
  subscribers.process.on("message", relay);
  server.process.send({ run: { events, batch, window } });
  const { cpuMicros, wallMs } = await Promise.race([server.next("cpuMicros"), subscribers.failure]);
  subscribers.process.off("message", relay);
  const deliveries = events * clients;
  return { cpuMicros: cpuMicros / deliveries, perSecond: (1000 * deliveries) / wallMs };
}

/** Starts a script of this folder; `next(key)` resolves with its next message that has `key`. */
function start(script, ...args) {
  const child = fork(new URL(script, import.meta.url), args);
  const failure = new Promise((_, reject) => {
    child.on("message", ({ failed }) => failed && reject(new Error(failed)));
    child.on("exit", (code) => reject(new Error(`${script} ended with ${code}`)));
  });
  failure.catch(() => {}); // whoever waits for this process sees it
  const message = (key) =>
    new Promise((resolve) => {
      const listen = (received) => {
        if (received[key] === undefined) return;
        child.off("message", listen);
        resolve(received);
      };
      child.on("message", listen);
    });
  return { process: child, failure, next: (key) => Promise.race([message(key), failure]) };
}

function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
