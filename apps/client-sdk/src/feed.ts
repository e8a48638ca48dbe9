import type { NamespaceName } from "@openscan/protocol";
import type { Rest } from "./rest.js";
import type { Resync } from "./store.js";

/** A parsed message with a type; nothing else about it is known. */
export interface Message {
  readonly type: string;
  readonly [member: string]: unknown;
}

export interface Folded<State, Event> {
  readonly state: State;
  /** As the application gets it. */
  readonly event: Event;
}

/**
 * All that differs between the namespaces: how snapshots and events make up their state. A namespace is added
 * by writing one of these. Messages that are not what their type says make `snapshot` and `fold` throw.
 */
export interface Feed<State, Event> extends Merging<Event | Resync<State>> {
  readonly name: NamespaceName;
  /** The type whose events are changes to exactly the state before them. */
  readonly delta?: string;
  /** The state that a snapshot tells. */
  snapshot(message: Message): State;
  /** What an event makes of the state; `undefined` when it does not fit this state. Unknown types change nothing. */
  fold(state: State, message: Message): Folded<State, Event> | undefined;
  /** The present state by REST, for servers of the legacy dialect. */
  fetch(rest: Rest, signal: AbortSignal): Promise<State>;
}

/** What a slow reader need not see one by one. */
interface Merging<Event> {
  /** Only events with the same key may be merged. */
  stateKey(event: Event): string | undefined;
  /** One event in place of two of the same key; `undefined` when both have to be told, as facts have. */
  merge(older: Event, newer: Event): Event | undefined;
}

/** Merges what a slow reader need not see one by one; the order of what is left stays. */
export function compact<Item>(items: readonly Item[], { stateKey, merge }: Merging<Item>): Item[] {
  const newest = new Map<string, number>();
  const kept: Item[] = [];
  for (const item of items.toReversed()) {
    const key = stateKey(item);
    if (key !== undefined) {
      const index = newest.get(key) ?? -1;
      const newer = kept[index];
      const merged = newer && merge(item, newer);
      if (merged) {
        kept[index] = merged;
        continue;
      }
      newest.set(key, kept.length);
    }
    kept.push(item);
  }
  return kept.reverse();
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

/** @throws TypeError when `fits` is false */
export function must(fits: boolean, what: string): asserts fits {
  if (!fits) throw new TypeError(`${what} is missing or of the wrong kind`);
}
