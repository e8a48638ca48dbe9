import { Emitter, type Logger } from "@openscan/runtime";

/**
 * An emitter whose listeners may cause further events: those are told after the current one has reached everybody,
 * so every listener sees the same order.
 */
export class EventQueue<Event> {
  readonly emitter: Emitter<Event>;
  readonly #waiting: Event[] = [];
  #emitting = false;

  constructor(log: Logger) {
    this.emitter = new Emitter(log);
  }

  emit(event: Event): void {
    this.#waiting.push(event);
    if (this.#emitting) return;
    this.#emitting = true;
    for (let next = this.#waiting.shift(); next; next = this.#waiting.shift()) this.emitter.emit(next);
    this.#emitting = false;
  }
}
