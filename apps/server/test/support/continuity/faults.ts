import type { FaultKind } from "./schedule.js";

interface Pending {
  readonly kind: FaultKind;
  skip: number;
}

interface Message {
  readonly type: string;
  readonly seq?: number;
  readonly resume?: { readonly recovered: boolean | null };
}

/** What a broken proxy does to whole messages of one connection; only events, which can be missed. */
export class Faults {
  #pending: Pending | undefined;
  #held: string | undefined;
  /** An event was taken away and nothing has come since that shows it. */
  #lost = false;
  #mustHaveNoticed = false;
  /** What the client has got before, as far as this connection repeats it. */
  readonly #knownSeq: number;
  #isReplay = false;

  /** @param knownSeq up to where the client knows everything; -1 when it knows nothing */
  constructor(knownSeq: number) {
    this.#knownSeq = knownSeq;
  }

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
    const message = JSON.parse(text) as Message;
    if (message.type === "hello") this.#isReplay = message.resume?.recovered === true;
    const isEvent = message.type !== "hello" && message.seq !== undefined;
    const passed = isEvent ? this.#applyToEvent(text) : [text];
    if (passed.length > 0 && this.#lost && (isEvent || message.type === "ping")) this.#mustHaveNoticed = true;
    // A cursor that the network moved back makes the server repeat what the client has: without it, nothing is missing.
    const isKnown = this.#isReplay && (message.seq ?? 0) <= this.#knownSeq;
    if (isEvent && !isKnown && passed.length === 0) this.#lost = true;
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
