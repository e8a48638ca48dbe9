import type { Truth } from "./account.js";
import { type AnyEvent, nameOf } from "./events.js";
import type { Name, Position, Published, Scanner } from "./scanner.js";

/** What happened at a scanner, events recognised by what they say. */
export class ScannerTruth implements Truth {
  readonly #scanner: Scanner;
  readonly #namespace: Name;
  readonly #known = new Map<string, Published>();
  #knownUpTo = 0;

  constructor(scanner: Scanner, namespace: Name) {
    this.#scanner = scanner;
    this.#namespace = namespace;
  }

  get published(): readonly Published[] {
    return this.#scanner.published[this.#namespace];
  }

  indexAt({ epoch, seq }: Position): number {
    const found = this.#scanner.find(this.#namespace, epoch, seq);
    return found ? found.index : this.#scanner.firstIndex(this.#namespace, epoch) - 1;
  }

  recognise(event: AnyEvent): Published | undefined {
    for (const published of this.published.slice(this.#knownUpTo))
      this.#known.set(nameOf(published.event), published);
    this.#knownUpTo = this.published.length;
    return this.#known.get(nameOf(event));
  }
}
