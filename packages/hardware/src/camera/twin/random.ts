/**
 * Seeded numbers for noise that must be the same in every run: Marsaglia's 32-bit xorshift ("Xorshift
 * RNGs", 2003). Not for secrets.
 */
export class Random {
  #state: number;

  constructor(seed: number) {
    // Neighbouring seeds must not give similar numbers, and a state of 0 would stay 0 for ever.
    this.#state = scramble(Math.floor(seed) | 0) || 1;
  }

  /** A whole number from 0 to 2^32 - 1. */
  bits(): number {
    let state = this.#state;
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    this.#state = state;
    return state >>> 0;
  }

  /** From 0 (included) to 1 (excluded). */
  unit(): number {
    return this.bits() / 4_294_967_296;
  }

  /** Standard normal distribution (Box-Muller). */
  normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.unit())) * Math.cos(2 * Math.PI * this.unit());
  }
}

/** The 32-bit finaliser of MurmurHash3 (public domain). */
function scramble(value: number): number {
  let hash = value ^ 0x9e3779b9;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
