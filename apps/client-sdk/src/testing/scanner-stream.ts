import type { NamespaceName } from "@openscan/protocol";
import { type AnyEvent, merge, stateKey } from "./rules.js";
import { passes, type Wishes } from "./stream-filter.js";

/** An event that was published, and its place. */
export interface Published {
  readonly event: AnyEvent;
  readonly seq: number;
  readonly ts: string;
}

/** The events of one namespace, numbered, and the last of them. */
export class ScannerStream {
  readonly namespace: NamespaceName;
  readonly maxEvents: number;
  #epoch = 1;
  #seq = 0;
  #history: Published[] = [];

  constructor(namespace: NamespaceName, maxEvents: number) {
    this.namespace = namespace;
    this.maxEvents = maxEvents;
  }

  get epoch(): string {
    return `epoch-${this.#epoch}`;
  }

  get seq(): number {
    return this.#seq;
  }

  add(event: AnyEvent, ts: string): Published {
    const published = { event, seq: ++this.#seq, ts };
    this.#history.push(published);
    if (this.#history.length > this.maxEvents) this.#history.shift();
    return published;
  }

  /** As after a restart: numbers start anew and nothing can be replayed. */
  forget(): void {
    this.#epoch++;
    this.#seq = 0;
    this.#history = [];
  }

  /** What a connection missed, superfluous states left out; `undefined` when that cannot be said. */
  missed(wishes: Wishes): Published[] | undefined {
    const { since, epoch } = wishes;
    if (since === undefined || epoch !== this.epoch || since > this.#seq) return undefined;
    if (this.#seq - since > this.#history.length) return undefined;
    const replay: Published[] = [];
    for (const newer of this.#history) {
      if (newer.seq <= since || !passes(newer.event, wishes)) continue;
      const key = stateKey(newer.event);
      const at = key === undefined ? -1 : replay.findLastIndex(({ event }) => stateKey(event) === key);
      const older = replay[at];
      const merged = older && merge(older.event, newer.event);
      if (merged) replay.splice(at, 1);
      replay.push(merged ? { ...newer, event: merged } : newer);
    }
    return replay;
  }
}
