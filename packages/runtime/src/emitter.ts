import type { Logger } from "./logger.js";

/**
 * One kind of event and its listeners, called in the order in which they subscribed. A listener that
 * throws is logged; neither the emitter's caller nor the other listeners notice.
 */
export class Emitter<Event> {
  readonly #listeners = new Set<{ readonly call: (event: Event) => void }>();
  readonly #log: Logger;

  constructor(log: Logger) {
    this.#log = log;
  }

  /** Subscribes; the returned function undoes it. */
  on(listener: (event: Event) => void): () => void {
    const entry = { call: listener };
    this.#listeners.add(entry);
    return () => void this.#listeners.delete(entry);
  }

  emit(event: Event): void {
    for (const listener of [...this.#listeners]) {
      try {
        listener.call(event);
      } catch (err) {
        this.#log.error({ err }, "a listener threw");
      }
    }
  }
}
