import { createScannerClient, type ScannerClient } from "@openscan/client-sdk";
import { Account } from "./account.js";
import { type Heard, HeardTruth } from "./heard-truth.js";
import type { AnyEvent } from "./events.js";
import type { Name, Position } from "./scanner.js";
import { watchedSocket } from "./watched-socket.js";

type Told = { readonly type: string; readonly seq?: number; readonly lost?: boolean };
/** What the application was told, and the place in the stream. */
interface Entry extends Position {
  readonly told: Told;
}

const typesOf = {
  tasks: ["resync", "task.update", "task.deleted", "task.stalled", "photo.captured"],
  device: ["resync", "device.status", "device.fault"],
} as const;
const names = ["tasks", "device"] as const;
const nowhere: Position = { epoch: "", seq: -1 };

/** An application that follows a real server, and writes down what its sockets get and what it is told. */
export class Listener {
  readonly client: ScannerClient;
  /** As they came over its connections, gaps included. */
  readonly heard: Record<Name, Heard[]> = { tasks: [], device: [] };
  readonly epochs: Record<Name, string[]> = { tasks: [], device: [] };
  readonly #log: Record<Name, Entry[]> = { tasks: [], device: [] };
  readonly #last: Record<Name, Position> = { tasks: nowhere, device: nowhere };
  readonly #waiting = new Set<() => void>();

  constructor(url: string, random: () => number) {
    this.client = createScannerClient({
      url,
      random,
      onError: () => {},
      WebSocket: watchedSocket((address) =>
        this.#connected(address.includes("/ws/tasks") ? "tasks" : "device"),
      ),
    });
    for (const name of names) {
      const store = this.client[name] as ScannerClient["tasks"];
      for (const type of typesOf[name]) store.on(type as "resync", (told) => this.#note(name, told));
      store.subscribe(() => this.#wake());
    }
  }

  get live(): boolean {
    return names.every((name) => this.client[name].get().freshness.status === "live");
  }

  /** The events of a type that it was told. */
  told<Type extends AnyEvent["type"]>(name: Name, type: Type): readonly Extract<AnyEvent, { type: Type }>[] {
    const all = this.#log[name].map(({ told }) => told as AnyEvent);
    return all.filter((event): event is Extract<AnyEvent, { type: Type }> => event.type === type);
  }

  /** Resolves as soon as something that it was told, or its freshness, makes the condition true. */
  until(condition: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = () => {
        if (!condition()) return;
        this.#waiting.delete(look);
        resolve();
      };
      this.#waiting.add(look);
      look();
    });
  }

  /** What is wrong with what it was told, given what it and others heard; and how often facts were said to be lost. */
  settle(
    name: Name,
    others: readonly Listener[],
  ): { readonly problems: readonly string[]; readonly lost: number } {
    const everybody = [this, ...others];
    const epochs = [...new Set(everybody.flatMap((one) => one.epochs[name]))];
    const problems: string[] = [];
    const account = new Account({
      filter: {},
      truth: new HeardTruth(
        epochs,
        everybody.flatMap((one) => one.heard[name]),
      ),
      everyStatus: true,
      complain: (problem) => void problems.push(problem),
    });
    for (const { told, epoch, seq } of this.#log[name]) {
      if (told.type === "resync") account.resync({ epoch, seq }, told.lost ?? false);
      else account.event({ ...told, epoch, seq } as unknown as AnyEvent);
    }
    const missing = account.missing();
    return {
      problems: [...problems, ...account.skipped, ...(missing ? [`${missing} is missing`] : [])],
      lost: account.lost,
    };
  }

  #connected(name: Name): (message: Readonly<Record<string, unknown>>) => void {
    let epoch = "";
    return (message) => {
      if (message["type"] === "hello") {
        epoch = String(message["epoch"]);
        if (!this.epochs[name].includes(epoch)) this.epochs[name].push(epoch);
      }
      const seq = message["seq"];
      if (typeof seq !== "number" || message["type"] === "hello") return;
      this.#last[name] = { epoch, seq };
      // A delta is told as the status that it leads to.
      const type = message["type"] === "device.delta" ? "device.status" : message["type"];
      const event = { ...message, type } as unknown as AnyEvent;
      if (message["snapshot"] !== true) this.heard[name].push({ epoch, seq, event });
    };
  }

  #note(name: Name, told: Told): void {
    this.#log[name].push({ ...this.#last[name], told });
    this.#wake();
  }

  #wake(): void {
    for (const look of this.#waiting) look();
  }
}
