const windowMs = 1_000;
const heardPerWindow = 20;
const floodPerWindow = 200;

/** What is to be done with one more message of a client. */
export type Verdict = "heard" | "ignored" | "flood";

/** Counts the messages of a client within each second. */
export class InboundRate {
  #windowStart = Number.NEGATIVE_INFINITY;
  #count = 0;

  judge(now: number): Verdict {
    if (now - this.#windowStart >= windowMs) {
      this.#windowStart = now;
      this.#count = 0;
    }
    this.#count++;
    if (this.#count > floodPerWindow) return "flood";
    return this.#count > heardPerWindow ? "ignored" : "heard";
  }
}
