import { isDeepStrictEqual } from "node:util";
import {
  createScannerClient,
  type DeviceOptions,
  type Freshness,
  type ScannerClient,
  type ScannerClientOptions,
  type TaskOptions,
} from "@openscan/client-sdk";
import type { Hello } from "@openscan/protocol";
import { Account } from "./account.js";
import { difference, type Filter } from "./filter.js";
import { Reader } from "./reader.js";
import type { ClientPlan } from "./schedule.js";
import type { AnyEvent } from "./events.js";
import type { Position, Scanner } from "./scanner.js";
import { ScannerTruth } from "./scanner-truth.js";

type Store = ScannerClient["tasks"] | ScannerClient["device"];
type Told = { readonly type: string; readonly state?: object; readonly lost?: boolean };

export interface ApplicationOptions {
  readonly plan: Omit<ClientPlan, "latencyMs" | "capacity" | "browser">;
  readonly scanner: Scanner;
  /** Made for this application, which wants to hear of what its sockets and requests get. */
  readonly client: (application: Application) => ScannerClientOptions;
  readonly complain: (problem: string) => void;
}

const typesOf = {
  tasks: ["resync", "task.update", "task.deleted", "task.stalled", "photo.captured"],
  device: ["resync", "device.status", "device.fault"],
} as const;

/** An application that follows one namespace with the SDK and keeps account of what it is told. */
export class Application {
  readonly account: Account;
  readonly #options: ApplicationOptions;
  readonly #client: ScannerClient;
  readonly #reader: Reader | undefined;
  readonly #readAccount: Account;
  /** Where the state of each resync was cut. */
  readonly #positions = new WeakMap<object, Position>();
  /** Of the present connection, once it has said hello. */
  #epoch: string | undefined;
  /** How often the server could not go on where this was. */
  #restarts = 0;
  #snapshotAt: Position | undefined;
  #restAt: Position | undefined;

  constructor(options: ApplicationOptions) {
    const { plan, scanner, complain } = options;
    const { namespace } = plan;
    this.#options = options;
    const account = { filter: this.filter, truth: new ScannerTruth(scanner, namespace) };
    this.account = new Account({ ...account, everyStatus: true, complain });
    this.#readAccount = new Account({
      ...account,
      everyStatus: false,
      complain: (problem) => complain(`in a loop, ${problem}`),
    });
    this.#client = createScannerClient({
      onError: () => {},
      ...options.client(this),
      [namespace]: asked(plan),
    });
    for (const type of typesOf[namespace])
      (this.store as ScannerClient["tasks"]).on(type as "resync", (told) => this.#hear(told));
    if (plan.slowLoop)
      this.#reader = new Reader(this.store.events(), (told) =>
        this.#account(told as Told, this.#readAccount),
      );
  }

  get store(): Store {
    return this.#client[this.#options.plan.namespace];
  }

  get filter(): Filter {
    const { types, ids, paths } = this.#options.plan;
    return { types, ids, paths };
  }

  get freshness(): Freshness["status"] {
    return this.store.get().freshness.status;
  }

  /** Whether a slow server was taken for one of the legacy dialect, which cannot resume. */
  get usedRest(): boolean {
    return this.#restAt !== undefined;
  }

  /** It may tell of lost facts only when the server could not go on. */
  get criesWolf(): boolean {
    return !this.usedRest && this.account.lost > this.#restarts;
  }

  /** What is not well, if there is anything. */
  get trouble(): string | undefined {
    const { scanner, plan } = this.#options;
    if (this.freshness !== "live") return `it is ${this.freshness}`;
    const { state } = this.store.get();
    return difference(this.filter, plan.namespace, state, scanner.state(plan.namespace)) ?? this.#missing;
  }

  /** To be told of each new connection, before its first message. */
  connected(): void {
    this.#epoch = undefined;
  }

  /** To be told of each message before the SDK gets it. */
  received(message: Readonly<Record<string, unknown>>): void {
    if (message["type"] === "hello") this.#greeted(message as unknown as Hello);
    if (message["snapshot"] === true && this.#epoch !== undefined)
      this.#snapshotAt = { epoch: this.#epoch, seq: Number(message["seq"]) };
  }

  /** To be told of each answer of REST, by which a slow server is taken for one of the legacy dialect. */
  askedRest(at: Position): void {
    this.#restAt = at;
  }

  /** Lets the loop read so many events. */
  read(events: number): void {
    this.#reader?.allow(events);
  }

  close(): void {
    this.#client.close();
  }

  #greeted({ epoch, resume }: Hello): void {
    this.#epoch = epoch;
    if (this.store.get().state && resume.recovered !== true) this.#restarts++;
  }

  get #missing(): string | undefined {
    const read = this.#reader && !this.#reader.gaveUp ? this.#readAccount.missing() : undefined;
    return this.account.missing() ?? read;
  }

  #hear(told: Told): void {
    if (told.type === "resync") {
      if (!isDeepStrictEqual(told.state, this.store.get().state))
        this.#options.complain("resync tells another state than get()");
      const position = this.#epoch === undefined ? this.#restAt : this.#snapshotAt;
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
}

/** The client's options for its stream, which has only those of its namespace. */
function asked({
  types,
  ids,
  paths,
  minIntervalMs,
  delta,
}: ApplicationOptions["plan"]): TaskOptions & DeviceOptions {
  const all = { types, ids, paths, minIntervalMs, delta };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}
