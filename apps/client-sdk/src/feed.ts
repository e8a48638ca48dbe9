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
export interface Feed<State, Event> {
  readonly name: NamespaceName;
  /** The type whose events are changes to exactly the state before them. */
  readonly delta?: string;
  /** The state that a snapshot tells. */
  snapshot(message: Message): State;
  /** What an event makes of the state; `undefined` when it does not fit this state. Unknown types change nothing. */
  fold(state: State, message: Message): Folded<State, Event> | undefined;
  /** The present state by REST, for servers of the legacy dialect. */
  fetch(rest: Rest, signal: AbortSignal): Promise<State>;
  /** Of two events with the same key a slow reader need not see the older; facts have none. */
  stateKey(event: Event): string | undefined;
  /** One event in place of two of the same key; `undefined` when both have to be told. */
  merge(older: Event, newer: Event): Event | undefined;
}

/** Merges what a slow reader need not see one by one; the order of what is left stays. */
export function compact<State, Event extends object>(
  items: readonly (Event | Resync<State>)[],
  { stateKey, merge }: Pick<Feed<State, Event>, "stateKey" | "merge">,
): (Event | Resync<State>)[] {
  const newest = new Map<string, number>();
  const kept: (Event | Resync<State>)[] = [];
  for (const item of items.toReversed()) {
    const key = isResync(item) ? "resync" : stateKey(item);
    if (key !== undefined) {
      const newer = kept[newest.get(key) ?? -1];
      const merged =
        newer &&
        (isResync(item)
          ? { ...(newer as Resync<State>), lost: item.lost || (newer as Resync<State>).lost }
          : merge(item, newer as Event));
      if (merged) {
        kept[newest.get(key) as number] = merged;
        continue;
      }
      newest.set(key, kept.length);
    }
    kept.push(item);
  }
  return kept.reverse();
}

function isResync<State>(item: object): item is Resync<State> {
  return (item as { type?: unknown }).type === "resync";
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

/** @throws TypeError when `fits` is false */
export function must(fits: boolean, what: string): asserts fits {
  if (!fits) throw new TypeError(`${what} is missing or of the wrong kind`);
}
