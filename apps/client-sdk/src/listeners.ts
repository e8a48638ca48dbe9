/**
 * Functions called in the order in which they were added. One that throws, or whose promise rejects, is
 * reported and stops nobody else; one that was removed during a delivery is not called any more.
 */
export class Listeners<Event> {
  readonly #listeners = new Set<{ readonly call: Listener<Event> }>();
  readonly #report: (error: unknown) => void;

  constructor(report: (error: unknown) => void) {
    this.#report = report;
  }

  get size(): number {
    return this.#listeners.size;
  }

  add(listener: Listener<Event>): () => void {
    const entry = { call: listener };
    this.#listeners.add(entry);
    return () => void this.#listeners.delete(entry);
  }

  deliver(event: Event): void {
    for (const listener of this.#listeners) this.call(listener.call, event);
  }

  call(listener: Listener<Event>, event: Event): void {
    try {
      Promise.resolve(listener(event)).catch(this.#report);
    } catch (error) {
      this.#report(error);
    }
  }

  clear(): void {
    this.#listeners.clear();
  }
}

export type Listener<Event> = (event: Event) => void | Promise<void>;
