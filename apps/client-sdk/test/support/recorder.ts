interface Subscribable<Event> {
  subscribe(listener: (event: Event) => void): () => void;
}

/** What a subscriber gets, and a way to wait for it without looking at a clock. */
export class Recorder<Event> {
  readonly events: Event[] = [];
  readonly stop: () => void;
  readonly #waiting = new Set<() => void>();

  constructor(source: Subscribable<Event>) {
    this.stop = source.subscribe((event) => this.add(event));
  }

  add(event: Event): void {
    this.events.push(event);
    for (const check of this.#waiting) check();
  }

  /** Resolves once `found` is true of the events so far. */
  async until(found: (events: readonly Event[]) => boolean): Promise<void> {
    await new Promise<void>((resolve) => {
      const check = () => {
        if (!found(this.events)) return;
        this.#waiting.delete(check);
        resolve();
      };
      this.#waiting.add(check);
      check();
    });
  }

  count(amount: number): Promise<void> {
    return this.until((events) => events.length >= amount);
  }
}
