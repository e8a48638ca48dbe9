import type { Listener } from "./listeners.js";

/**
 * How far the state can be trusted.
 *
 * - `live`: connected and continuous; the state is right
 * - `resyncing`: connected, being brought up to date
 * - `stale`: silent for unusually long, or just lost with the first attempt to come back under way; the state was
 *   right `ageMs` ago (told anew every second)
 * - `offline`: no connection and the last attempt failed, or nobody subscribes, or closed
 */
export type Freshness =
  | { readonly status: "live" }
  | { readonly status: "resyncing" }
  | { readonly status: "stale"; readonly ageMs: number }
  | { readonly status: "offline" };

/** What a store knows at one moment. */
export interface View<State> {
  /** The last known state, whatever the freshness; `undefined` before the first snapshot. */
  readonly state: State | undefined;
  readonly freshness: Freshness;
}

/** The whole state, whenever a snapshot starts or restarts a stream. Replace yours with it. */
export interface Resync<State> {
  readonly type: "resync";
  readonly state: State;
  /** Facts may have been missed since the last moment in which the store was live. */
  readonly lost: boolean;
}

/**
 * The live state of one namespace and the events that change it. However many subscribe, there is one connection:
 * made for the first, kept up for ever, closed some time after the last.
 */
export interface Store<State, Event> extends AsyncIterable<Event | Resync<State>> {
  /** The same object until something changes, as `useSyncExternalStore` wants it. */
  get(): View<State>;

  /** Keeps the connection, and calls `onChange` after every change of `get()`, until the returned function is called. */
  subscribe(onChange: () => void): () => void;

  /**
   * Keeps the connection and calls `listener` with every event of a type, until `signal` or the returned function
   * ends it. Facts come exactly once and in order.
   */
  on<Type extends TypeOf<Event | Resync<State>>>(
    type: Type,
    listener: Listener<Extract<Event | Resync<State>, { readonly type: Type }>>,
    options?: { readonly signal?: AbortSignal },
  ): () => void;

  /**
   * The events as a loop reads them, beginning with a `resync`. It ends with `signal`, `break` or `close()`, and
   * throws when the server refuses for good. For a loop that is slow, states are merged once 256 events wait,
   * facts never; the loop throws when that is not enough.
   */
  events(options?: { readonly signal?: AbortSignal }): AsyncIterableIterator<Event | Resync<State>>;

  /** Closes the connection for good and ends all loops; a later subscription throws. */
  close(): void;
}

export type TypeOf<Event> = Event extends { readonly type: infer Type } ? Type : never;
