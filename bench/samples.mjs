import { median } from "./statistics.mjs";

/** What was measured of several servers, round by round. */
export class Samples {
  #rounds = new Map();

  add(server, sample) {
    this.#rounds.set(server, [...this.of(server), sample]);
  }

  of(server) {
    return this.#rounds.get(server) ?? [];
  }

  /** Median over the rounds; undefined when the server was not measured. */
  median(server, value) {
    return this.#rounds.has(server) ? median(this.of(server).map(value)) : undefined;
  }

  /** Median over the rounds of one server's value to another's in the same round, so that load cancels out. */
  ratio(server, other, value) {
    const others = this.of(other);
    if (others.length === 0) return undefined;
    return this.median(server, (sample, round) => value(sample) / value(others[round]));
  }
}
