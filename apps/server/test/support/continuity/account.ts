import type { LiveTask } from "@openscan/protocol";
import { type Filter, passes } from "./filter.js";
import type { AnyEvent, Name, Published, Scanner } from "./scanner.js";

/** What an application was told, held against what happened. */
export class Account {
  readonly #filter: Filter;
  readonly #namespace: Name;
  readonly #scanner: Scanner;
  readonly #complain: (problem: string) => void;
  /** Facts by what makes them the ones they are, however they came. */
  readonly #known = new Map<string, Published>();
  #knownUpTo = 0;
  /** Everything up to this index is accounted for; undefined before the first resync. */
  #upTo: number | undefined;
  readonly #revisions = new Map<string, number>();
  #lost = 0;
  #delivered = 0;

  constructor(filter: Filter, namespace: Name, scanner: Scanner, complain: (problem: string) => void) {
    this.#filter = filter;
    this.#namespace = namespace;
    this.#scanner = scanner;
    this.#complain = complain;
  }

  /** How often it was told that facts may have been missed. */
  get lost(): number {
    return this.#lost;
  }

  get delivered(): number {
    return this.#delivered;
  }

  /** A snapshot was told that was cut at this position. */
  resync(position: { readonly epoch: string; readonly seq: number }, lost: boolean): void {
    const index = this.#indexAt(position);
    if (this.#upTo === undefined && lost) this.#complain("lost facts before it began");
    if (lost) this.#lost++;
    if (this.#upTo !== undefined && !lost)
      this.#demand(this.#upTo, index + 1, "a resync that says that nothing was lost");
    this.#upTo = Math.max(this.#upTo ?? -1, index);
  }

  event(event: AnyEvent): void {
    if (this.#upTo === undefined) return this.#complain(`${event.type} before the first resync`);
    if (event.type === "task.update") this.#watchRevision(event.task as LiveTask);
    const key = factKey(event);
    if (key === undefined) return;
    this.#learn();
    const fact = this.#known.get(key);
    if (!fact) return this.#complain(`a fact that never happened: ${key}`);
    if (fact.index <= this.#upTo)
      return this.#complain(`a fact again, late or after a snapshot with it: ${key}`);
    this.#demand(this.#upTo, fact.index, key);
    this.#upTo = fact.index;
    this.#delivered++;
  }

  /** The facts that were not told though they should have been by now. */
  missing(): string | undefined {
    if (this.#upTo === undefined) return undefined;
    return this.#missing(this.#upTo, this.#scanner.published[this.#namespace].length);
  }

  #demand(after: number, before: number, then: string): void {
    const missing = this.#missing(after, before);
    if (missing) this.#complain(`${missing} was not told before ${then}`);
  }

  #missing(after: number, before: number): string | undefined {
    const all = this.#scanner.published[this.#namespace];
    for (let index = after + 1; index < before; index++) {
      const published = all[index] as Published;
      if (published.fact && passes(this.#filter, this.#namespace, published.event))
        return factKey(published.event);
    }
    return undefined;
  }

  #watchRevision({ id, revision }: LiveTask): void {
    if (revision < (this.#revisions.get(id) ?? 0))
      this.#complain(`task ${id} went back to revision ${revision}`);
    this.#revisions.set(id, revision);
  }

  #learn(): void {
    const all = this.#scanner.published[this.#namespace];
    for (const published of all.slice(this.#knownUpTo))
      if (published.fact) this.#known.set(factKey(published.event) ?? "", published);
    this.#knownUpTo = all.length;
  }

  /** Index of the newest event in a state. */
  #indexAt({ epoch, seq }: { readonly epoch: string; readonly seq: number }): number {
    const found = this.#scanner.find(this.#namespace, epoch, seq);
    return found ? found.index : this.#scanner.firstIndex(this.#namespace, epoch) - 1;
  }
}

/** What makes a fact another one than all others; undefined for state. */
function factKey(event: AnyEvent): string | undefined {
  switch (event.type) {
    case "task.update":
      return ["running", "paused"].includes(event.task.status)
        ? undefined
        : `${event.task.id} ${event.task.revision}`;
    case "task.deleted":
      return `${event.id} deleted`;
    case "task.stalled":
      return `${event.id} stalled ${event.seconds}`;
    case "photo.captured":
      return event.file;
    case "device.fault":
      return event.message;
    case "device.status":
      return undefined;
  }
}
