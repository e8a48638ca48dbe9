import type { Filter } from "./filter.js";
import type { Message } from "./message.js";
import { type Position, type Style, write, type Written } from "./writing.js";

/** The events that one turn of the event loop publishes; connections that are in step share their frames. */
export class Turn {
  readonly #messages: Message[] = [];
  readonly #written = new Map<string, Written>();
  #legacy: readonly Message[] | undefined;
  #last: { messages: readonly Message[]; style: Style; from: Position; written: Written } | undefined;

  push(message: Message): void {
    this.#messages.push(message);
  }

  /** What of it a connection gets. */
  select({ dialect }: Style, filter: Filter | undefined): readonly Message[] {
    if (dialect === "legacy") {
      this.#legacy ??= this.#messages.filter((message) => message.text("legacy") !== undefined);
      return this.#legacy;
    }
    return filter ? this.#messages.filter((message) => filter.passes(message)) : this.#messages;
  }

  /** Frames of `messages`, a selection of this turn. */
  write(messages: readonly Message[], style: Style, from: Position): Written {
    const last = this.#last;
    // Connections in step share even the objects, and come one after another: most need no key.
    const isSame =
      last?.messages === messages &&
      last.from === from &&
      last.style.dialect === style.dialect &&
      last.style.delta === style.delta;
    if (last && isSame) return last.written;
    const written = this.#shared(messages, style, from);
    this.#last = { messages, style, from, written };
    return written;
  }

  #shared(messages: readonly Message[], style: Style, from: Position): Written {
    const selection = messages === this.#messages ? "all" : messages.map(({ seq }) => seq).join();
    const key =
      style.dialect === "legacy" ? "legacy" : `${from.prev} ${style.delta} ${from.base?.seq} ${selection}`;
    const known = this.#written.get(key);
    if (known) return known;
    const written = write(messages, style, from);
    this.#written.set(key, written);
    return written;
  }
}
