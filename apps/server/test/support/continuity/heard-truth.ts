import type { Truth } from "./account.js";
import { type AnyEvent, isFact } from "./events.js";
import type { Happened, Position } from "./scanner.js";

/** An event as it came over some connection. */
export interface Heard extends Position {
  readonly event: AnyEvent;
}

/** What happened in a namespace of a server that only can be listened to: what any of several listeners heard. */
export class HeardTruth implements Truth {
  readonly published: readonly Happened[];
  readonly #heard: readonly Heard[];
  readonly #epochs: readonly string[];

  /** @param epochs in the order in which they began */
  constructor(epochs: readonly string[], heard: readonly Heard[]) {
    const byPosition = new Map(heard.map((one) => [`${one.epoch} ${one.seq}`, one]));
    this.#epochs = epochs;
    this.#heard = [...byPosition.values()].sort(
      (a, b) => epochs.indexOf(a.epoch) - epochs.indexOf(b.epoch) || a.seq - b.seq,
    );
    this.published = this.#heard.map(({ event }, index) => ({
      index,
      event,
      fact: isFact(event),
    }));
  }

  indexAt({ epoch, seq }: Position): number {
    const era = this.#epochs.indexOf(epoch);
    return this.#heard.findLastIndex((other) => {
      const otherEra = this.#epochs.indexOf(other.epoch);
      return otherEra < era || (otherEra === era && other.seq <= seq);
    });
  }

  /** By its place in the stream: `epoch` is a member that the listener adds. */
  recognise(event: AnyEvent): Happened | undefined {
    const { epoch, seq } = event as AnyEvent & Position;
    return this.published[this.#heard.findIndex((other) => other.epoch === epoch && other.seq === seq)];
  }
}
