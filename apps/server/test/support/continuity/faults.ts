import type { FaultKind } from "./schedule.js";

interface Pending {
  readonly kind: FaultKind;
  skip: number;
}

/** What a broken proxy does to whole messages of one connection; only events, which can be missed. */
export class Faults {
  #pending: Pending | undefined;
  #held: string | undefined;
  /** An event was taken away and nothing has come since that shows it. */
  #lost = false;
  #mustHaveNoticed = false;

  /** A gap is visible by now. */
  get mustHaveNoticed(): boolean {
    return this.#mustHaveNoticed;
  }

  order(kind: FaultKind, skip: number): void {
    this.#pending = { kind, skip };
  }

  /** No further fault; an event that is held back is lost. */
  clear(): void {
    this.#pending = undefined;
    this.#held = undefined;
  }

  /** What the client gets instead of `text`. */
  apply(text: string): readonly string[] {
    const message = JSON.parse(text) as { readonly type: string; readonly seq?: number };
    const isEvent = message.type !== "hello" && message.seq !== undefined;
    const passed = isEvent ? this.#applyToEvent(text) : [text];
    if (passed.length > 0 && this.#lost && (isEvent || message.type === "ping")) this.#mustHaveNoticed = true;
    if (isEvent && passed.length === 0) this.#lost = true;
    return passed;
  }

  #applyToEvent(text: string): readonly string[] {
    if (this.#held !== undefined) {
      const held = this.#held;
      this.#held = undefined;
      return [text, held];
    }
    const pending = this.#pending;
    if (!pending || pending.skip-- > 0) return [text];
    this.#pending = undefined;
    if (pending.kind === "duplicate") return [text, text];
    if (pending.kind === "swap") this.#held = text;
    return [];
  }
}
