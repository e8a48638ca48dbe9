import { setTimeout as sleep } from "node:timers/promises";
import { ServerProcess } from "./server-process.mjs";
import { soon } from "./soon.mjs";
import { SubscribersProcess } from "./subscribers-process.mjs";

/** Servers with their subscribers, side by side; runs of them can be interleaved. */
export class Stage {
  #subscribers = new SubscribersProcess();
  #servers = new Map();

  /**
   * Opens a stage with servers for `use`, and clears it away afterwards.
   *
   * @template T
   * @param {(stage: Stage) => Promise<T>} use
   * @returns {Promise<T>}
   */
  static async with(use) {
    const stage = new Stage();
    try {
      return await use(stage);
    } finally {
      stage.#subscribers.stop();
      for (const server of stage.#servers.values()) server.stop();
    }
  }

  /** Starts the server of `peer`. */
  async start({ name, command }) {
    const server = await ServerProcess.start(command);
    this.#servers.set(name, server);
    return server;
  }

  /** Connects more subscribers with the server of `peer`: some read, some are stalled. */
  async connect({ name, dialect }, clients, stalled = 0) {
    const { port } = this.#servers.get(name);
    await this.#subscribers.ask("open", { server: name, dialect, port, clients, stalled });
  }

  /**
   * Publishes as planned (`run` in servers/orders.mjs) and waits for the arrivals, for `patienceMs` at most.
   *
   * @returns CPU of the server in µs, ms from the first event to the last arrival, how many events every
   * client has got, ms that each of the arrivals took, and how busy the subscribers' process was (1: all the time)
   */
  async run({ name }, { events, batch = 1, window = 0, intervalMs = 0, patienceMs = 10_000 }) {
    const server = this.#servers.get(name);
    const subscribers = this.#subscribers;
    const arrived = new Promise((resolve) => {
      subscribers.onGot(name, (got) => {
        server.order("received", got);
        if (got >= events) resolve();
      });
    });
    await subscribers.ask("expect", { server: name, events, step: window > 0 ? window / 2 : events });
    const published = server.next("cpuMicros");
    server.order("run", events, batch, window, intervalMs);
    const { cpuMicros, wallMs, sentAt } = await soon(
      Promise.race([published, subscribers.failure]),
      `${name}: publishing`,
    );
    await Promise.race([arrived, sleep(patienceMs, undefined, { ref: false }), subscribers.failure]);
    const { clientMicros, ...result } = await subscribers.ask("result", { server: name, sentAt });
    return { cpuMicros, wallMs, clientLoad: clientMicros / 1000 / wallMs, ...result };
  }
}
