/**
 * Functions called in the order in which they were added. One that throws, or whose promise rejects, is
 * reported and stops nobody else; one that was removed during a delivery is not called any more, one that was
 * added not yet.
 */
export class Listeners<Event> {
  readonly #listeners = new Set<Listener<Event>>();
  readonly #report: (error: unknown) => void;

  constructor(report: (error: unknown) => void) {
    this.#report = report;
  }

  add(listener: Listener<Event>): () => void {
    const entry: Listener<Event> = (event) => listener(event);
    this.#listeners.add(entry);
    return () => void this.#listeners.delete(entry);
  }

  deliver(event: Event): void {
    for (const listener of [...this.#listeners]) {
      if (!this.#listeners.has(listener)) continue;
      try {
        const result: unknown = listener(event);
        if (result) Promise.resolve(result).catch(this.#report);
      } catch (error) {
        this.#report(error);
      }
    }
  }
}

export type Listener<Event> = (event: Event) => void | Promise<void>;
