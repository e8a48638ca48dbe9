const windowMs = 1_000;
const heardPerWindow = 20;
const floodPerWindow = 200;

/** What is to be done with a message of a client; `first`: heard, and none was before. */
export type Verdict = "first" | "heard" | "ignored" | "flood";

/** When and how often one client speaks. */
export class Inbound {
  #lastHeardAt: number;
  #windowStart: number;
  #count = 0;
  #hasSpoken = false;

  constructor(now: number) {
    this.#lastHeardAt = now;
    this.#windowStart = now;
  }

  /** Monotonic ms of the last message that was heard, or of the start. */
  get lastHeardAt(): number {
    return this.#lastHeardAt;
  }

  judge(now: number): Verdict {
    if (now - this.#windowStart >= windowMs) {
      this.#windowStart = now;
      this.#count = 0;
    }
    this.#count++;
    if (this.#count > floodPerWindow) return "flood";
    if (this.#count > heardPerWindow) return "ignored";
    this.#lastHeardAt = now;
    const isFirst = !this.#hasSpoken;
    this.#hasSpoken = true;
    return isFirst ? "first" : "heard";
  }
}
