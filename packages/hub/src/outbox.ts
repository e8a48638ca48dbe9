import type { Counters } from "./counters.js";
import type { Dialect, Message } from "./message.js";

/** A message, and the monotonic ms since when it waits. */
interface Waiting {
  readonly message: Message;
  readonly since: number;
}

/** The messages that wait for one client, in order. */
export class Outbox {
  readonly #dialect: Dialect;
  readonly #counters: Pick<Counters, "merged" | "dropped">;
  /** By `seq`, in which they also come. */
  readonly #waiting = new Map<number, Waiting>();
  readonly #latest = new Map<string, Message>();
  /** How much older state newer state of the same key replaces. */
  #replaces: "nothing" | "mergeable" | "all" = "nothing";
  #bytes = 0;
  #facts = 0;

  constructor(dialect: Dialect, counters: Pick<Counters, "merged" | "dropped">) {
    this.#dialect = dialect;
    this.#counters = counters;
  }

  get isEmpty(): boolean {
    return this.#waiting.size === 0;
  }

  get size(): number {
    return this.#waiting.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get hasFacts(): boolean {
    return this.#facts > 0;
  }

  /** Since when the first message waits. */
  get since(): number {
    for (const { since } of this.#waiting.values()) return since;
    return Number.POSITIVE_INFINITY;
  }

  push(message: Message, now: number): void {
    if (message.key === undefined) {
      this.#facts++;
      if (this.#replaces === "mergeable") this.#latest.delete(message.ends ?? "");
      this.#add({ message, since: now });
      return;
    }
    const all = this.#replaces === "all";
    const older = this.#replaces === "nothing" ? undefined : this.#latest.get(message.key);
    const merged = older && (message.mergedWith(older) ?? (all ? message : undefined));
    if (older && merged) {
      this.#remove(older);
      this.#counters[all ? "dropped" : "merged"]++;
    }
    this.#add({ message: merged ?? message, since: now });
    this.#latest.set(message.key, merged ?? message);
  }

  /** From now on, and for what waits already, newer state takes the place of older state. */
  merge(): void {
    if (this.#replaces === "nothing") this.#replace("mergeable");
  }

  /**
   * Of the state of each key only the newest is kept, whatever it says. It is needed even when a snapshot will
   * follow: a client that is cut off after a fact resumes there, and has to know the state before it.
   */
  keepNewest(): void {
    if (this.#replaces !== "all") this.#replace("all");
  }

  /** Takes the first messages, until they come to `bytes`, or to the last fact if only facts are wanted. */
  take(bytes: number, toLastFact: boolean): Message[] {
    const taken: Message[] = [];
    const end = this.#bytes - bytes;
    for (const { message } of this.#waiting.values()) {
      taken.push(message);
      this.#remove(message);
      if (this.#bytes <= end || (toLastFact && this.#facts === 0)) break;
    }
    return taken;
  }

  #replace(what: "mergeable" | "all"): void {
    this.#replaces = what;
    const all = [...this.#waiting.values()];
    this.#waiting.clear();
    this.#latest.clear();
    this.#bytes = 0;
    this.#facts = 0;
    for (const { message, since } of all) this.push(message, since);
  }

  #add(waiting: Waiting): void {
    this.#waiting.set(waiting.message.seq, waiting);
    this.#bytes += waiting.message.size(this.#dialect);
  }

  #remove(message: Message): void {
    this.#waiting.delete(message.seq);
    this.#bytes -= message.size(this.#dialect);
    if (message.key === undefined) this.#facts--;
    else if (this.#latest.get(message.key) === message) this.#latest.delete(message.key);
  }
}
