import type { FakeClock } from "@openscan/runtime/testing";
import type { Link } from "../network/link.js";
import { type LinkWatcher, Network, type Request } from "../network/network.js";
import { Application } from "./application.js";
import { Faults } from "./faults.js";
import type { ClientPlan, CursorChange, FaultKind } from "./schedule.js";
import type { Scanner } from "./scanner.js";
import { options, type Server } from "./server.js";
import { WireCheck } from "./wire-check.js";

/** For each connection: what becomes of the messages, in a way that no client can notice. */
export type Tamper = () => (text: string) => readonly string[];

export interface ViewerOptions {
  readonly plan: ClientPlan;
  readonly clock: FakeClock;
  readonly scanner: Scanner;
  readonly server: Server;
  readonly random: () => number;
  readonly complain: (problem: string) => void;
  readonly tamper: Tamper;
}

/** As the server names them. */
const firstEpoch = "id-1";
/** 1.25 heartbeats. */
const quietMs = 37_500;

/** An application on its own way to the server, where things happen. */
export class Viewer {
  readonly plan: ClientPlan;
  readonly network: Network;
  readonly application: Application;
  readonly #options: ViewerOptions;
  readonly #checks = new Map<Link, { readonly wire: WireCheck; readonly faults: Faults }>();
  #heardAt = 0;
  #cursorChange: CursorChange | undefined;
  /** The cursor with which the SDK asked last. */
  #knownSeq = -1;
  #faultOrder: { readonly kind: FaultKind; readonly skip: number } | undefined;

  constructor(viewer: ViewerOptions) {
    const { plan, clock, scanner, server, random, complain } = viewer;
    this.#options = viewer;
    this.plan = plan;
    this.network = new Network({
      clock,
      latencyMs: plan.latencyMs,
      capacity: plan.capacity,
      readsWhileClosing: !plan.browser,
      hasTerminate: !plan.browser,
      accept: (request, link) => server.accept(request, link),
      onRequest: (request) => this.#onRequest(request),
      onLink: (link, request) => this.#watch(link, request),
    });
    this.application = new Application({
      plan,
      scanner,
      complain,
      client: () => ({
        url: "http://scanner",
        WebSocket: this.network.WebSocket,
        fetch: (url) => this.#fetch(url),
        clock,
        random,
      }),
    });
  }

  /** How many losses it had to notice. */
  get faults(): number {
    return [...this.#checks.values()].filter(({ faults }) => faults.mustHaveNoticed).length;
  }

  changeCursor(change: CursorChange): void {
    this.#cursorChange = change;
  }

  /** Befalls the connection that there is, or the next one. */
  orderFault(kind: FaultKind, skip: number): void {
    const faults = this.network.open.length > 0 ? [...this.#checks.values()].at(-1)?.faults : undefined;
    if (faults) faults.order(kind, skip);
    else this.#faultOrder = { kind, skip };
  }

  /** From now on the network does what it should; connections that are broken without a word stay so. */
  heal(): void {
    this.#cursorChange = undefined;
    this.#faultOrder = undefined;
    for (const { faults } of this.#checks.values()) faults.clear();
    this.network.state = "up";
    for (const link of this.network.open) link.heal();
  }

  /** What must hold whenever everything has settled. */
  check(): void {
    const { clock, complain } = this.#options;
    if (this.application.freshness === "live") {
      const silentMs = clock.now() - this.#heardAt;
      if (silentMs > quietMs) complain(`live after ${silentMs} ms of silence`);
      if (!this.network.links.some(({ client }) => client.readyState === 1))
        complain("live without a connection");
    }
    for (const [link, { wire, faults }] of this.#checks) {
      wire.settled();
      if (faults.mustHaveNoticed && !link.client.leftByClient && link.client.readyState !== 3)
        complain("a lost event was not noticed");
    }
  }

  #onRequest(request: Request): Request {
    const change = this.#cursorChange;
    const { searchParams } = request.url;
    this.#knownSeq = Number(searchParams.get("since") ?? -1);
    if (!change || !searchParams.has("since")) return request;
    this.#cursorChange = undefined;
    if (change === "removed") searchParams.delete("since");
    else if (change === "without epoch") searchParams.delete("epoch");
    else if ("epoch" in change)
      searchParams.set("epoch", change.epoch === "foreign" ? "someone-else" : firstEpoch);
    else searchParams.set("since", String(Math.max(0, Number(searchParams.get("since")) + change.since)));
    return request;
  }

  #watch(link: Link, { url }: Request): LinkWatcher {
    const { plan, clock, scanner, complain } = this.#options;
    const wire = new WireCheck({
      namespace: plan.namespace,
      asked: options(url),
      scanner,
      now: () => clock.now(),
      unhindered: () => !link.everHeldUp && link.server.readyState === link.server.OPEN,
      complain: (problem) => complain(`on the wire, ${problem}`),
    });
    const faults = new Faults(this.#knownSeq);
    if (this.#faultOrder) faults.order(this.#faultOrder.kind, this.#faultOrder.skip);
    this.#faultOrder = undefined;
    this.#checks.set(link, { wire, faults });
    this.application.connected();
    const tamper = this.#options.tamper();
    return {
      sent: (text) => wire.sent(text),
      proxy: (text) => tamper(text).flatMap((changed) => faults.apply(changed)),
      received: (text) => {
        this.#heardAt = clock.now();
        this.application.received(JSON.parse(text) as Record<string, unknown>);
      },
    };
  }

  /** REST works whenever the network does. */
  #fetch(url: string): Promise<Response> {
    const { plan, clock, scanner, server } = this.#options;
    if (this.network.state !== "up" || !server.running) return Promise.reject(new TypeError("fetch failed"));
    this.#heardAt = clock.now();
    this.application.askedRest(scanner.position(plan.namespace));
    return Promise.resolve(Response.json(url.includes("/tasks/") ? scanner.tasks : scanner.device));
  }
}
