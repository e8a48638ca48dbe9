import { FakeClock, settle } from "@openscan/runtime/testing";
import { randomNumbers } from "./random-numbers.js";
import { type Schedule, type Step, unlimited } from "./schedule.js";
import { Scanner } from "./scanner.js";
import { type Counts, Server } from "./server.js";
import { type Tamper, Viewer } from "./viewer.js";

/** Longest time after which everything is well again once the network is: silence, back-off, opening. */
const recoveryMs = 75_000 + 20_000 + 8_000 + 2_000;
/** What is written at once whatever waits: a snapshot, or the events of a turn with the one that ends it. */
const largestBatch = 200_000;

export interface Outcome {
  /** What was wrong. */
  readonly problems: readonly string[];
  /** What happened, to see that schedules make everything happen. */
  readonly counts: Counts & Record<"told" | "lost" | "faults", number>;
}

/**
 * Runs a schedule to its end, when the network is healthy and time has passed.
 *
 * @param tamper deceives the clients, to see that this is found out
 */
export async function runSchedule(
  schedule: Schedule,
  tamper: Tamper = () => (text) => [text],
): Promise<Outcome> {
  const problems = new Set<string>();
  const rig = new Rig(schedule, tamper, (problem) => void problems.add(problem));
  try {
    for (const step of schedule.steps) {
      if (problems.size === 0) await rig.perform(step);
    }
    if (problems.size === 0) await rig.recover();
  } finally {
    rig.close();
  }
  return { problems: [...problems], counts: rig.counts };
}

class Rig {
  readonly #clock = new FakeClock();
  readonly #scanner = new Scanner(this.#clock);
  readonly #server: Server;
  readonly #viewers: readonly Viewer[];
  readonly #schedule: Schedule;
  readonly #complain: (problem: string) => void;

  constructor(schedule: Schedule, tamper: Tamper, complain: (problem: string) => void) {
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
          random: randomNumbers(schedule.random + number),
          tamper,
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
        return this.#viewer(step.client).application.read(step.events);
    }
  }

  /** Makes everything healthy and waits until all is well, which must not take longer than documented. */
  async recover(): Promise<void> {
    for (const viewer of this.#viewers) {
      viewer.heal();
      viewer.application.read(Number.POSITIVE_INFINITY);
    }
    const end = this.#clock.now() + recoveryMs;
    while (this.#viewers.some(({ application }) => application.trouble) && this.#clock.now() < end)
      await this.#wait(1000);
    for (const [number, viewer] of this.#viewers.entries()) {
      const { account, trouble, criesWolf } = viewer.application;
      const complain = (problem: string) => this.#complain(`client ${number}: ${problem}`);
      if (trouble) complain(`after ${recoveryMs} ms, ${trouble}`);
      if (this.#server.counts.dropped === 0) for (const skipped of account.skipped) complain(skipped);
      if (criesWolf) complain("told that facts may be lost although the server went on");
      if (account.lost > 0 && this.#forgotNothing(viewer))
        complain("told that facts may be lost, but everything was there");
    }
  }

  get counts(): Outcome["counts"] {
    const count = (number: (viewer: Viewer) => number) =>
      this.#viewers.reduce((sum, viewer) => sum + number(viewer), 0);
    return {
      ...this.#server.counts,
      told: count(({ application }) => application.account.told),
      lost: count(({ application }) => application.account.lost),
      faults: count(({ faults }) => faults),
    };
  }

  close(): void {
    for (const { application } of this.#viewers) application.close();
  }

  /** Nothing happened that could make a resume impossible. */
  #forgotNothing({ plan: { namespace }, application: { usedRest } }: Viewer): boolean {
    const { steps, hub } = this.#schedule;
    if (usedRest || steps.some((step) => step.do === "restart" || step.do === "cursor")) return false;
    // More than the hub counts, which knows the size of state only roughly.
    const bytes = this.#scanner.published[namespace].reduce(
      (sum, { event }) => sum + Math.max(1024, JSON.stringify(event).length),
      0,
    );
    return hub.historyAgeMs >= unlimited && bytes < Math.min(hub.historyBytes, hub.pendingBytes);
  }

  async #wait(ms: number): Promise<void> {
    await this.#clock.advance(ms);
    await settle();
    for (const viewer of this.#viewers) viewer.check();
    const { queuedBytes, connections } = this.#server;
    const { pendingBytes } = this.#schedule.hub;
    if (queuedBytes > connections * (pendingBytes + largestBatch))
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
