import { StreamOptions } from "@openscan/protocol";
import { silentLogger } from "@openscan/runtime";
import type { FakeClock } from "@openscan/runtime/testing";
import { Hub, type HubStats } from "@openscan/hub";
import type { Link } from "../network/link.js";
import type { Request } from "../network/network.js";
import type { HubPlan } from "./schedule.js";
import type { Name, Scanner } from "./scanner.js";

/** What became of events and resumes. */
export type Counts = Readonly<
  Record<"merged" | "dropped" | "snapshots" | "closedSlow" | "recovered" | "refused", number>
>;

/** The server of one scanner: a hub that can die, and comes back as another one. */
export class Server {
  readonly #clock: FakeClock;
  readonly #scanner: Scanner;
  readonly #plan: HubPlan;
  readonly #ended = new Map<Link, () => void>();
  #hub: Hub | undefined;
  #epochs = 0;
  #counts: Counts = { merged: 0, dropped: 0, snapshots: 0, closedSlow: 0, recovered: 0, refused: 0 };

  constructor(clock: FakeClock, scanner: Scanner, plan: HubPlan) {
    this.#clock = clock;
    this.#scanner = scanner;
    this.#plan = plan;
    this.start();
  }

  get running(): boolean {
    return this.#hub !== undefined;
  }

  /** Those that have not ended yet: a client may have left one and be on another already. */
  get connections(): number {
    return this.#ended.size;
  }

  get queuedBytes(): number {
    return this.#hub?.stats().queuedBytes ?? 0;
  }

  /** Over all its lives. */
  get counts(): Counts {
    const stats = this.#hub?.stats();
    return stats ? sum(this.#counts, stats) : this.#counts;
  }

  /** With an epoch of its own. */
  start(): void {
    const scanner = this.#scanner;
    this.#hub = new Hub({
      clock: this.#clock,
      log: silentLogger,
      server: { name: "simulated", version: "1.0.0" },
      state: { tasks: () => scanner.tasks, device: () => scanner.device },
      limits: this.#plan,
      newId: () => `id-${++this.#epochs}`,
    });
    scanner.connect(this.#hub);
  }

  /** Nothing is left of it, and nobody was told. */
  kill(): void {
    this.#leave();
    for (const ended of this.#ended.values()) ended();
    this.#ended.clear();
  }

  async restart(reason: string): Promise<void> {
    const closed = this.#hub?.close(1012, reason);
    this.#leave();
    await this.#clock.run(closed ?? Promise.resolve());
  }

  #leave(): void {
    this.#counts = this.counts;
    this.#hub = undefined;
    this.#scanner.connect(undefined);
  }

  accept({ url }: Request, link: Link): void {
    if (!this.#hub) return;
    link.open(undefined);
    const namespace = url.pathname.split("/").at(-1) as Name;
    const { server: webSocket, tcp } = link;
    const ended = this.#hub.accept(namespace, { webSocket, tcp }, { dialect: "v1", options: options(url) });
    this.#ended.set(link, ended);
    webSocket.on("close", () => {
      this.#ended.delete(link);
      ended();
    });
  }
}

function sum(counts: Counts, { resumes, merged, dropped, snapshots, closedSlow }: HubStats): Counts {
  return {
    merged: counts.merged + merged,
    dropped: counts.dropped + dropped,
    snapshots: counts.snapshots + snapshots,
    closedSlow: counts.closedSlow + closedSlow,
    recovered: counts.recovered + resumes.recovered,
    refused: counts.refused + resumes.refused,
  };
}

/** What a request asks for. */
export function options({ searchParams }: URL): StreamOptions {
  const list = (name: string) => searchParams.get(name)?.split(",");
  const number = (name: string) => (searchParams.has(name) ? Number(searchParams.get(name)) : undefined);
  const asked = {
    types: list("types"),
    ids: list("ids"),
    paths: list("paths"),
    min_interval: number("min_interval"),
    delta: searchParams.has("delta") ? searchParams.get("delta") === "1" : undefined,
    since: number("since"),
    epoch: searchParams.get("epoch") ?? undefined,
  };
  return StreamOptions.parse(
    Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== undefined)),
  );
}
