import type { Filter } from "./filter.js";
import type { HubLimits } from "./limits.js";
import { Message } from "./message.js";

/** What kept state counts for. It is not serialised to be measured: most of it is superseded before it is needed. */
const stateBytes = 1024;

type Changed = readonly string[] | null | undefined;

/** What is left of state that a later message supersedes. */
interface Superseded {
  readonly at: number;
  readonly key: string;
  readonly changed: Changed;
}

/** The latest events of a namespace, for clients that come back. */
export class History {
  readonly #limits: HubLimits;
  /** Every event from `first` to `head` by its `seq`. */
  readonly #kept = new Map<number, Message | Superseded>();
  readonly #latest = new Map<string, Message>();
  #first = 1;
  #head = 0;
  #bytes = 0;

  constructor(limits: HubLimits) {
    this.#limits = limits;
  }

  append(message: Message): void {
    const { seq, key, ends = "" } = message;
    this.#head = seq;
    this.#kept.set(seq, message);
    if (key === undefined) {
      this.#bytes += message.size("v1");
      if (this.#latest.delete(ends)) this.#bytes += stateBytes;
    } else {
      const older = this.#latest.get(key);
      if (older && message.supersedes(older)) {
        this.#kept.set(older.seq, { at: older.at, key, changed: older.changed });
      } else if (older) {
        this.#bytes += stateBytes;
      }
      this.#latest.set(key, message);
    }
    this.#trim(message.at);
  }

  /**
   * What a client has missed that knows everything up to `seq`: facts, and the latest state with all that
   * changed in between. `undefined` when that is not known any more, or was never published.
   */
  since(seq: number, filter: Filter | undefined, now: number): Message[] | undefined {
    this.#trim(now);
    if (seq > this.#head || seq < this.#first - 1) return undefined;
    const missed: Message[] = [];
    const untold = new Map<string, Changed[]>();
    for (let next = seq + 1; next <= this.#head; next++) {
      const kept = this.#kept.get(next);
      if (!kept) continue;
      if (kept instanceof Message) {
        const { key = "" } = kept;
        const message = asNews(kept, untold.get(key) ?? [], filter);
        if (message) missed.push(message);
        untold.delete(key);
      } else {
        const changes = untold.get(kept.key) ?? [];
        changes.push(kept.changed);
        untold.set(kept.key, changes);
      }
    }
    return missed;
  }

  #trim(now: number): void {
    const { historyEvents, historyBytes, historyAgeMs } = this.#limits;
    while (this.#first <= this.#head) {
      const oldest = this.#kept.get(this.#first);
      const isOver = this.#head - this.#first >= historyEvents || this.#bytes > historyBytes;
      if (oldest && !isOver && now - oldest.at <= historyAgeMs) return;
      if (oldest instanceof Message) this.#forget(oldest);
      this.#kept.delete(this.#first++);
    }
  }

  #forget(message: Message): void {
    const { key } = message;
    if (key === undefined) this.#bytes -= message.size("v1");
    else if (this.#latest.get(key) === message) this.#latest.delete(key);
    else this.#bytes -= stateBytes;
  }
}

/** `message` for a client that has not been told the changes of the superseded ones before it. */
function asNews(message: Message, before: readonly Changed[], filter: Filter | undefined) {
  if (filter && !filter.passesKind(message)) return undefined;
  const changes = [...before, message.changed].filter((changed) => !filter || filter.passesChange(changed));
  if (changes.length === 0) return undefined;
  if (before.length === 0 || message.changed === undefined) return message;
  return message.withChanged(union(changes));
}

function union(changes: readonly Changed[]): readonly string[] | null {
  const all = new Set<string>();
  for (const changed of changes) {
    if (!changed) return null;
    for (const path of changed) all.add(path);
  }
  return [...all];
}
