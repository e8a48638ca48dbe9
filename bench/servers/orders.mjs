// A server's half of the conversation with the benchmark: orders on stdin, answers in JSON on stdout, a line each.
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { deviceStatus } from "../device-status.mjs";

/** ms on the clock that all processes of the machine share. */
export const now = () => Number(process.hrtime.bigint()) / 1e6;

export const tell = (message) => void process.stdout.write(`${JSON.stringify(message)}\n`);

/**
 * Publishes when it is told to:
 *
 * - `run <events> <batch> <window> <intervalMs>`: `batch` events a turn, at most `window` (0: any number) ahead of
 *   what all clients have got, a turn every `intervalMs` (0: as fast as it goes)
 * - `received <events>`: so many events of this run have arrived everywhere
 * - `collect`: garbage, before its memory is looked at
 *
 * and ends with stdin.
 *
 * @param {{ port: number, publish: (event: object) => void, orders?: Record<string, () => void> }} server
 */
export function takeOrders({ port, publish, orders = {} }) {
  let received = 0;
  let wake = () => {};
  const acknowledgement = () =>
    new Promise((resolve) => {
      wake = resolve;
    });

  async function run(events, batch, window, intervalMs) {
    received = 0;
    const sentAt = [];
    const startedAt = now();
    const startedCpu = process.cpuUsage();
    for (let turn = 0; sentAt.length < events; turn++) {
      while (window > 0 && sentAt.length + batch - received > window) await acknowledgement();
      const waitMs = startedAt + turn * intervalMs - now();
      if (waitMs > 0) await sleep(waitMs);
      for (let inTurn = 0; inTurn < batch; inTurn++) {
        sentAt.push(now());
        publish(deviceStatus(sentAt.length - 1));
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
    while (window > 0 && received < events) await acknowledgement();
    const { user, system } = process.cpuUsage(startedCpu);
    tell({ cpuMicros: user + system, wallMs: now() - startedAt, sentAt });
  }

  const known = {
    run,
    received(events) {
      received = events;
      wake();
    },
    collect() {
      globalThis.gc?.();
      tell({ collected: true });
    },
    ...orders,
  };
  process.stdout.on("error", () => process.exit()); // nobody listens any more
  createInterface({ input: process.stdin })
    .on("line", (line) => {
      const [order, ...values] = line.split(" ");
      void known[order](...values.map(Number));
    })
    .on("close", () => process.exit());
  tell({ port });
}
