import type { LiveTask } from "@openscan/protocol";
import { type Filter, passes } from "./filter.js";
import { type AnyEvent, nameOf } from "./events.js";
import type { Happened, Position } from "./scanner.js";

/** What really happened in a namespace. */
export interface Truth {
  /** Everything, by its index. */
  readonly published: readonly Happened[];
  /** Index of the newest event in a state that was cut there. */
  indexAt(position: Position): number;
  /** Which of them an application was told. */
  recognise(event: AnyEvent): Happened | undefined;
}

export interface AccountOptions {
  readonly filter: Filter;
  readonly truth: Truth;
  /** Whether each change of a task's status has to be told: not to a loop that is slow. */
  readonly everyStatus: boolean;
  readonly complain: (problem: string) => void;
}

/** What an application was told, held against what happened. */
export class Account {
  readonly #options: AccountOptions;
  /** Everything up to this index is accounted for; undefined before the first resync. */
  #upTo: number | undefined;
  /** Index of the last fact that was told. */
  #toldUpTo = -1;
  /** Index of the last state of the device that was told. */
  #deviceUpTo = -1;
  /** What was told last of a task since the last resync. */
  readonly #tasks = new Map<string, Happened>();
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
    const index = this.#options.truth.indexAt(position);
    if (this.#upTo === undefined && lost) this.#options.complain("lost facts before it began");
    if (lost) this.#lost++;
    this.#tasks.clear();
    if (this.#upTo !== undefined && !lost)
      this.#demand(this.#upTo, index + 1, "a resync that says that nothing was lost");
    // It may be older than what REST told before, by which a server that is slow to say hello was asked.
    this.#upTo = index;
    this.#deviceUpTo = index;
  }

  event(event: AnyEvent): void {
    if (this.#upTo === undefined) return this.#options.complain(`${event.type} before the first resync`);
    const known = this.#options.truth.recognise(event);
    const key = nameOf(event);
    if (!known) return this.#options.complain(`an event that never happened: ${key}`);
    if (event.type === "task.update" && this.#options.everyStatus) this.#watchStatus(event.task, known);
    if (event.type === "device.status") this.#watchDevice(known);
    if (!known.fact) return;
    if (known.index <= Math.max(this.#upTo, this.#toldUpTo))
      return this.#options.complain(`a fact again, late or after a snapshot with it: ${key}`);
    this.#demand(this.#upTo, known.index, key);
    this.#upTo = this.#toldUpTo = known.index;
    this.#told++;
  }

  /** The facts that were not told though they should have been by now. */
  missing(): string | undefined {
    if (this.#upTo === undefined) return undefined;
    return this.#missing(this.#upTo, this.#published.length);
  }

  get #published(): readonly Happened[] {
    return this.#options.truth.published;
  }

  #demand(after: number, before: number, then: string): void {
    const missing = this.#missing(after, before);
    if (missing) this.#options.complain(`${missing} was not told before ${then}`);
  }

  #missing(after: number, before: number): string | undefined {
    const all = this.#published;
    const { filter } = this.#options;
    for (let index = after + 1; index < before; index++) {
      const published = all[index] as Happened;
      if (published.fact && passes(filter, published.event)) return nameOf(published.event);
    }
    return undefined;
  }

  #watchDevice(told: Happened): void {
    if (told.index <= this.#deviceUpTo)
      this.#options.complain(`the device went back to ${nameOf(told.event)}`);
    this.#deviceUpTo = told.index;
  }

  /** Only progress may be left out: each change of a task's status is told, in order. */
  #watchStatus({ id, status }: LiveTask, told: Happened): void {
    const before = this.#tasks.get(id);
    this.#tasks.set(id, told);
    if (!before) return;
    if (told.index <= before.index)
      return this.#options.complain(`task ${id} went back to ${nameOf(told.event)}`);
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
}
