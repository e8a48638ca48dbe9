import {
  createScannerClient,
  type DeviceOptions,
  type Freshness,
  type ScannerClient,
  type TaskOptions,
} from "@openscan/client-sdk";
import type { FakeClock } from "@openscan/runtime/testing";
import { isDeepStrictEqual } from "node:util";
import type { Link } from "../network/link.js";
import { type LinkWatcher, Network, type Request } from "../network/network.js";
import { Account } from "./account.js";
import { Faults } from "./faults.js";
import { difference, type Filter } from "./filter.js";
import { Reader } from "./reader.js";
import type { ClientPlan, CursorChange, FaultKind } from "./schedule.js";
import type { AnyEvent, Scanner } from "./scanner.js";
import { options, type Server } from "./server.js";
import { WireCheck } from "./wire-check.js";

type Store = ScannerClient["tasks"] | ScannerClient["device"];
interface Position {
  readonly epoch: string;
  readonly seq: number;
}
type Told = { readonly type: string; readonly state?: object; readonly lost?: boolean };

export interface ViewerOptions {
  readonly plan: ClientPlan;
  readonly clock: FakeClock;
  readonly scanner: Scanner;
  readonly server: Server;
  readonly random: () => number;
  readonly complain: (problem: string) => void;
}

/** As the server names them. */
const firstEpoch = "id-1";
/** 1.25 heartbeats. */
const quietMs = 37_500;
const typesOf = {
  tasks: ["resync", "task.update", "task.deleted", "task.stalled", "photo.captured"],
  device: ["resync", "device.status", "device.fault"],
} as const;

/** An application that follows one namespace with the SDK, on its own way to the server. */
export class Viewer {
  readonly plan: ClientPlan;
  readonly network: Network;
  readonly account: Account;
  readonly #options: ViewerOptions;
  readonly #client: ScannerClient;
  readonly #checks = new Map<Link, { readonly wire: WireCheck; readonly faults: Faults }>();
  readonly #reader: Reader | undefined;
  readonly #readAccount: Account;
  /** Where the state of each resync was cut. */
  readonly #positions = new WeakMap<object, Position>();
  #epoch = "";
  /** The newest snapshot that arrived, and where in the stream it was cut. */
  #snapshot: Position | undefined;
  /** Where the last answer of REST was cut, by which a slow server is taken for a legacy one. */
  #restAt: Position | undefined;
  #heardAt = 0;
  /** The present connection is known to speak v1. */
  #greeted = false;
  #cursorChange: CursorChange | undefined;
  #faultOrder: { readonly kind: FaultKind; readonly skip: number } | undefined;

  constructor(viewer: ViewerOptions) {
    const { plan, clock, scanner, server, complain } = viewer;
    this.#options = viewer;
    this.plan = plan;
    const { namespace } = plan;
    this.account = new Account({ filter: this.filter, namespace, scanner, everyStatus: true, complain });
    this.#readAccount = new Account({
      filter: this.filter,
      namespace,
      scanner,
      everyStatus: false,
      complain: (problem) => complain(`in a loop, ${problem}`),
    });
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
    this.#client = createScannerClient({
      url: "http://scanner",
      WebSocket: this.network.WebSocket,
      fetch: (url) => this.#fetch(url),
      clock,
      random: viewer.random,
      onError: () => {},
      [plan.namespace]: asked(plan),
    });
    for (const type of typesOf[plan.namespace])
      (this.store as ScannerClient["tasks"]).on(type as "resync", (told) => this.#hear(told));
    if (plan.slowLoop)
      this.#reader = new Reader(this.store.events(), (told) =>
        this.#account(told as Told, this.#readAccount),
      );
  }

  get store(): Store {
    return this.#client[this.plan.namespace];
  }

  get filter(): Filter {
    const { types, ids, paths } = this.plan;
    return { ...(types && { types }), ...(ids && { ids }), ...(paths && { paths }) };
  }

  get freshness(): Freshness["status"] {
    return this.store.get().freshness.status;
  }

  /** How many losses it had to notice. */
  get faults(): number {
    return [...this.#checks.values()].filter(({ faults }) => faults.mustHaveNoticed).length;
  }

  /** What is wrong with what it shows, as far as its filter covers it. */
  difference(): string | undefined {
    const { scanner } = this.#options;
    const { namespace } = this.plan;
    return difference(this.filter, namespace, this.store.get().state, scanner.state(namespace));
  }

  changeCursor(change: CursorChange | undefined): void {
    this.#cursorChange = change;
  }

  /** Befalls the connection that there is, or the next one. */
  orderFault(kind: FaultKind, skip: number): void {
    const faults = this.network.open.length > 0 ? [...this.#checks.values()].at(-1)?.faults : undefined;
    if (faults) faults.order(kind, skip);
    else this.#faultOrder = { kind, skip };
  }

  /** From now on messages pass as they are. */
  clearFaults(): void {
    this.#faultOrder = undefined;
    for (const { faults } of this.#checks.values()) faults.clear();
  }

  /** What must hold whenever everything has settled. */
  check(): void {
    const { clock, complain } = this.#options;
    const silentMs = clock.now() - this.#heardAt;
    if (this.freshness === "live" && silentMs > quietMs) complain(`live after ${silentMs} ms of silence`);
    if (this.freshness === "live" && !this.network.links.some(({ client }) => client.readyState === 1))
      complain("live without a connection");
    for (const [link, { wire, faults }] of this.#checks) {
      wire.settled();
      if (faults.mustHaveNoticed && !link.client.leftByClient && link.client.readyState !== 3)
        complain("a lost event was not noticed");
    }
  }

  /** Lets the loop read so many events. */
  read(events: number): void {
    this.#reader?.allow(events);
  }

  /** Whether a slow server was taken for one of the legacy dialect, which cannot resume. */
  get usedRest(): boolean {
    return this.#restAt !== undefined;
  }

  /** A fact that nobody told the application. */
  missing(): string | undefined {
    const read = this.#reader && !this.#reader.gaveUp ? this.#readAccount.missing() : undefined;
    return this.account.missing() ?? read;
  }

  close(): void {
    this.#client.close();
  }

  #hear(told: Told): void {
    const { complain } = this.#options;
    const { state } = this.store.get();
    if (told.type === "resync") {
      if (!isDeepStrictEqual(told.state, state)) complain("resync tells another state than get()");
      const position = this.#greeted ? this.#snapshot : this.#restAt;
      if (position && told.state) this.#positions.set(told.state, position);
    }
    this.#account(told, this.account);
  }

  #account(told: Told, account: Account): void {
    if (told.type !== "resync") return account.event(told as AnyEvent);
    const position = told.state && this.#positions.get(told.state);
    if (position) account.resync(position, told.lost ?? false);
    else this.#options.complain("a resync without a snapshot");
  }

  #onRequest(request: Request): Request {
    const change = this.#cursorChange;
    const { searchParams } = request.url;
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
    const { clock, scanner, complain } = this.#options;
    const wire = new WireCheck({
      namespace: this.plan.namespace,
      asked: options(url),
      scanner,
      now: () => clock.now(),
      unhindered: () => !link.everHeldUp && link.server.readyState === link.server.OPEN,
      complain: (problem) => complain(`on the wire, ${problem}`),
    });
    this.#greeted = false;
    const faults = new Faults();
    if (this.#faultOrder) faults.order(this.#faultOrder.kind, this.#faultOrder.skip);
    this.#faultOrder = undefined;
    this.#checks.set(link, { wire, faults });
    return {
      sent: (text) => wire.sent(text),
      proxy: (text) => faults.apply(text),
      received: (text) => this.#received(JSON.parse(text) as Record<string, unknown>),
    };
  }

  #received(message: Record<string, unknown>): void {
    this.#heardAt = this.#options.clock.now();
    if (message["type"] === "hello") {
      this.#epoch = String(message["epoch"]);
      this.#greeted = true;
    }
    if (message["snapshot"] === true) this.#snapshot = { epoch: this.#epoch, seq: Number(message["seq"]) };
  }

  /** REST works whenever the network does. */
  #fetch(url: string): Promise<Response> {
    const { scanner, server } = this.#options;
    if (this.network.state !== "up" || !server.running) return Promise.reject(new TypeError("fetch failed"));
    this.#restAt = scanner.position(this.plan.namespace);
    return Promise.resolve(Response.json(url.includes("/tasks/") ? scanner.tasks : scanner.device));
  }
}

/** The client's options for its stream, which has only those of its namespace. */
function asked({ types, ids, paths, minIntervalMs, delta }: ClientPlan): TaskOptions & DeviceOptions {
  const all = { types, ids, paths, minIntervalMs, delta };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}
