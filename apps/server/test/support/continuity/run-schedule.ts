import { FakeClock, settle } from "@openscan/runtime/testing";
import type { Schedule, Step } from "./schedule.js";
import { Scanner } from "./scanner.js";
import { Server } from "./server.js";
import { Viewer } from "./viewer.js";

/** Longest time after which everything is well again once the network is: silence, back-off, opening. */
const recoveryMs = 75_000 + 20_000 + 8_000 + 2_000;
/** As the client's: a connection that was told of its end is back sooner. */
const backOffMs = 20_000 + 2_000;

/** Runs a schedule to its end, when the network is healthy and time has passed; returns what was wrong. */
export async function runSchedule(schedule: Schedule): Promise<readonly string[]> {
  const problems = new Set<string>();
  const rig = new Rig(schedule, (problem) => void problems.add(problem));
  try {
    for (const step of schedule.steps) {
      if (problems.size === 0) await rig.perform(step);
    }
    if (problems.size === 0) await rig.recover();
  } finally {
    rig.close();
  }
  return [...problems];
}

/** The same numbers for the same seed: a multiplicative generator modulo a prime. */
function randomFrom(seed: number): () => number {
  let state = (seed % 2147483646) + 1;
  return () => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647;
  };
}

class Rig {
  readonly #clock = new FakeClock();
  readonly #scanner = new Scanner(this.#clock);
  readonly #server: Server;
  readonly #viewers: readonly Viewer[];
  readonly #schedule: Schedule;
  readonly #complain: (problem: string) => void;

  constructor(schedule: Schedule, complain: (problem: string) => void) {
    this.#schedule = schedule;
    this.#complain = complain;
    this.#server = new Server(this.#clock, this.#scanner, schedule.hub);
    this.#viewers = schedule.clients.map(
      (plan, number) =>
        new Viewer({
          plan,
          clock: this.#clock,
          scanner: this.#scanner,
          server: this.#server,
          random: randomFrom(schedule.random + number),
          complain: (problem) => complain(`client ${number}: ${problem}`),
        }),
    );
  }

  async perform(step: Step): Promise<void> {
    switch (step.do) {
      case "publish":
        for (const happening of step.happenings) this.#scanner.happen(happening);
        return;
      case "burst":
        for (let i = 0; i < step.times; i++) {
          for (const happening of step.happenings)
            this.#scanner.happen({ ...happening, target: happening.target + i });
          if (step.turns) await settle();
        }
        return;
      case "wait":
        return this.#wait(step.ms);
      case "pace":
        for (const link of this.#viewer(step.client).network.open) link.pace(step.direction, step.pace);
        return;
      case "cut":
        for (const link of this.#viewer(step.client).network.open)
          link.cutAfter(step.direction, step.after, step.witness);
        return;
      case "network":
        this.#viewer(step.client).network.state = step.state;
        return;
      case "cursor":
        return this.#viewer(step.client).changeCursor(step.change);
      case "fault":
        return this.#viewer(step.client).orderFault(step.kind, step.skip);
      case "cut all":
        for (const { network } of this.#viewers) for (const link of network.open) link.cut(step.witness);
        return;
      case "restart":
        return this.#restart(step);
      case "read":
        return this.#viewer(step.client).read(step.events);
    }
  }

  /** Makes everything healthy and waits until all is well, which must not take longer than documented. */
  async recover(): Promise<void> {
    for (const viewer of this.#viewers) {
      viewer.network.state = "up";
      viewer.changeCursor(undefined);
      viewer.clearFaults();
      viewer.read(Number.POSITIVE_INFINITY);
      for (const link of viewer.network.open) {
        link.pace("down", "flowing");
        link.pace("up", "flowing");
      }
    }
    const end = this.#clock.now() + recoveryMs;
    while (this.#viewers.some((viewer) => this.#trouble(viewer)) && this.#clock.now() < end)
      await this.#wait(1000);
    for (const [number, viewer] of this.#viewers.entries()) {
      const trouble = this.#trouble(viewer);
      if (trouble) this.#complain(`client ${number}: after ${recoveryMs} ms, ${trouble}`);
    }
  }

  close(): void {
    for (const viewer of this.#viewers) viewer.close();
  }

  #trouble(viewer: Viewer): string | undefined {
    if (viewer.freshness !== "live") return `it is ${viewer.freshness}`;
    return viewer.difference() ?? viewer.missing();
  }

  async #wait(ms: number): Promise<void> {
    await this.#clock.advance(ms);
    await settle();
    for (const viewer of this.#viewers) viewer.check();
    const { queuedBytes = 0 } = this.#server.hub?.stats() ?? {};
    const { pendingBytes } = this.#schedule.hub;
    if (queuedBytes > this.#viewers.length * (2 * pendingBytes + 200_000))
      this.#complain(`${queuedBytes} bytes wait`);
  }

  async #restart({ how, downMs }: Extract<Step, { do: "restart" }>): Promise<void> {
    if (how === "graceful") await this.#server.restart(JSON.stringify({ retry_after_ms: 500 }));
    else this.#server.kill();
    for (const { network } of this.#viewers)
      for (const link of network.open) link.cut(how === "crashed" ? "nobody" : "both");
    await this.#wait(downMs);
    this.#scanner.changeUnseen();
    this.#server.start();
  }

  #viewer(number: number): Viewer {
    return this.#viewers[number % this.#viewers.length] as Viewer;
  }
}
