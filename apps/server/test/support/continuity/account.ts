import type { LiveTask } from "@openscan/protocol";
import { type Filter, passes } from "./filter.js";
import type { AnyEvent, Name, Position, Published, Scanner } from "./scanner.js";

export interface AccountOptions {
  readonly filter: Filter;
  readonly namespace: Name;
  readonly scanner: Scanner;
  /** Whether each change of a task's status has to be told: not to a loop that is slow. */
  readonly everyStatus: boolean;
  readonly complain: (problem: string) => void;
}

/** What an application was told, held against what happened. */
export class Account {
  readonly #options: AccountOptions;
  /** What was published, by what makes it another event than all others, however it came. */
  readonly #known = new Map<string, Published>();
  #knownUpTo = 0;
  /** Everything up to this index is accounted for; undefined before the first resync. */
  #upTo: number | undefined;
  /** What was told last of a task since the last resync. */
  readonly #tasks = new Map<string, Published>();
  readonly #skipped: string[] = [];
  #lost = 0;
  #told = 0;

  constructor(options: AccountOptions) {
    this.#options = options;
  }

  /** How often it was told that facts may have been missed. */
  get lost(): number {
    return this.#lost;
  }

  /** Facts. */
  get told(): number {
    return this.#told;
  }

  /** Changes of a task's status that were left out, which is right only for a slow client. */
  get skipped(): readonly string[] {
    return this.#skipped;
  }

  /** A snapshot was told that was cut at this position. */
  resync(position: Position, lost: boolean): void {
    const index = this.#indexAt(position);
    if (this.#upTo === undefined && lost) this.#options.complain("lost facts before it began");
    if (lost) this.#lost++;
    this.#tasks.clear();
    if (this.#upTo !== undefined && !lost)
      this.#demand(this.#upTo, index + 1, "a resync that says that nothing was lost");
    this.#upTo = Math.max(this.#upTo ?? -1, index);
  }

  event(event: AnyEvent): void {
    if (this.#upTo === undefined) return this.#options.complain(`${event.type} before the first resync`);
    const key = keyOf(event);
    if (key === undefined) return;
    this.#learn();
    const known = this.#known.get(key);
    if (!known) return this.#options.complain(`an event that never happened: ${key}`);
    if (event.type === "task.update" && this.#options.everyStatus) this.#watchStatus(event.task, known);
    if (!known.fact) return;
    if (known.index <= this.#upTo)
      return this.#options.complain(`a fact again, late or after a snapshot with it: ${key}`);
    this.#demand(this.#upTo, known.index, key);
    this.#upTo = known.index;
    this.#told++;
  }

  /** The facts that were not told though they should have been by now. */
  missing(): string | undefined {
    if (this.#upTo === undefined) return undefined;
    return this.#missing(this.#upTo, this.#published.length);
  }

  get #published(): readonly Published[] {
    const { scanner, namespace } = this.#options;
    return scanner.published[namespace];
  }

  #demand(after: number, before: number, then: string): void {
    const missing = this.#missing(after, before);
    if (missing) this.#options.complain(`${missing} was not told before ${then}`);
  }

  #missing(after: number, before: number): string | undefined {
    const all = this.#published;
    const { filter, namespace } = this.#options;
    for (let index = after + 1; index < before; index++) {
      const published = all[index] as Published;
      if (published.fact && passes(filter, namespace, published.event)) return keyOf(published.event);
    }
    return undefined;
  }

  /** Only progress may be left out: each change of a task's status is told, in order. */
  #watchStatus({ id, status }: LiveTask, told: Published): void {
    const before = this.#tasks.get(id);
    this.#tasks.set(id, told);
    if (!before) return;
    if (told.index <= before.index)
      return this.#options.complain(`task ${id} went back to ${keyOf(told.event)}`);
    const all = this.#published.slice(before.index, told.index);
    const statuses = all.map(({ event }) =>
      event.type === "task.update" && event.task.id === id ? event.task.status : undefined,
    );
    const changes = [...statuses, status]
      .filter((one) => one !== undefined)
      .filter((one, at, list) => one !== list[at - 1]);
    if (changes.length > 2)
      this.#skipped.push(`task ${id} was ${changes.join()}, of which something was not told`);
  }

  #learn(): void {
    const all = this.#published;
    for (const published of all.slice(this.#knownUpTo))
      this.#known.set(keyOf(published.event) ?? "", published);
    this.#knownUpTo = all.length;
  }

  /** Index of the newest event in a state. */
  #indexAt({ epoch, seq }: Position): number {
    const { scanner, namespace } = this.#options;
    const found = scanner.find(namespace, epoch, seq);
    return found ? found.index : scanner.firstIndex(namespace, epoch) - 1;
  }
}

/** What makes an event another one than all others; undefined for the state of the device. */
function keyOf(event: AnyEvent): string | undefined {
  switch (event.type) {
    case "task.update":
      return `${event.task.id} revision ${event.task.revision}`;
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
