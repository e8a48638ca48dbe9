import { StreamOptions } from "@openscan/protocol";
import { silentLogger } from "@openscan/runtime";
import type { FakeClock } from "@openscan/runtime/testing";
import { Hub } from "@openscan/hub";
import type { Link } from "../network/link.js";
import type { Request } from "../network/network.js";
import type { HubPlan } from "./schedule.js";
import type { Name, Scanner } from "./scanner.js";

/** The server of one scanner: a hub that can die, and comes back as another one. */
export class Server {
  readonly #clock: FakeClock;
  readonly #scanner: Scanner;
  readonly #plan: HubPlan;
  readonly #ended = new Map<Link, () => void>();
  #hub: Hub | undefined;
  #epochs = 0;

  constructor(clock: FakeClock, scanner: Scanner, plan: HubPlan) {
    this.#clock = clock;
    this.#scanner = scanner;
    this.#plan = plan;
    this.start();
  }

  get running(): boolean {
    return this.#hub !== undefined;
  }

  get hub(): Hub | undefined {
    return this.#hub;
  }

  /** Without any history. */
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
    this.#hub = undefined;
    this.#scanner.connect(undefined);
    for (const ended of this.#ended.values()) ended();
    this.#ended.clear();
  }

  async restart(reason: string): Promise<void> {
    const closed = this.#hub?.close(1012, reason);
    this.#scanner.connect(undefined);
    this.#hub = undefined;
    await this.#clock.run(closed ?? Promise.resolve());
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
