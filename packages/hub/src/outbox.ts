import type { Dialect, Message } from "./message.js";

/** A message, and the monotonic ms since when it waits. */
interface Waiting {
  readonly message: Message;
  readonly since: number;
}

/** The messages that wait for one client, in order. */
export class Outbox {
  readonly #dialect: Dialect;
  /** By `seq`, in which they also come. */
  readonly #waiting = new Map<number, Waiting>();
  readonly #latest = new Map<string, Message>();
  #merging = false;
  #bytes = 0;
  #facts = 0;
  #merged = 0;

  constructor(dialect: Dialect) {
    this.#dialect = dialect;
  }

  get isEmpty(): boolean {
    return this.#waiting.size === 0;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get hasFacts(): boolean {
    return this.#facts > 0;
  }

  /** How many messages were joined with newer ones so far. */
  get merged(): number {
    return this.#merged;
  }

  /** Since when the first message waits. */
  get since(): number {
    for (const { since } of this.#waiting.values()) return since;
    return Number.POSITIVE_INFINITY;
  }

  push(message: Message, now: number): void {
    if (message.key === undefined) {
      this.#facts++;
      this.#latest.delete(message.ends ?? "");
      this.#add({ message, since: now });
      return;
    }
    const older = this.#merging ? this.#latest.get(message.key) : undefined;
    const merged = older && message.mergedWith(older);
    if (older && merged) {
      this.#remove(older);
      this.#merged++;
    }
    this.#add({ message: merged ?? message, since: now });
    this.#latest.set(message.key, merged ?? message);
  }

  /** From now on, and for what waits already, newer state takes the place of older state. */
  merge(): void {
    if (this.#merging) return;
    this.#merging = true;
    for (const { message, since } of this.#clear()) this.push(message, since);
  }

  /** Removes all state; returns how many messages that were. */
  keepFacts(): number {
    if (this.#facts === this.#waiting.size) return 0;
    const all = this.#clear();
    for (const { message, since } of all) if (message.key === undefined) this.push(message, since);
    return all.length - this.#waiting.size;
  }

  /** Takes the first messages, until they come to `bytes`. */
  take(bytes: number): Message[] {
    const taken: Message[] = [];
    const end = this.#bytes - bytes;
    for (const { message } of this.#waiting.values()) {
      taken.push(message);
      this.#remove(message);
      if (this.#bytes <= end) break;
    }
    return taken;
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

  #clear(): Waiting[] {
    const all = [...this.#waiting.values()];
    this.#waiting.clear();
    this.#latest.clear();
    this.#bytes = 0;
    this.#facts = 0;
    return all;
  }
}
