import type { z } from "zod";

/**
 * A type of event: its schema and everything that the hub has to know about it. Its class of service, what a
 * filter compares and what a client of the legacy dialect sees of it are all said here, so that a new type is
 * one definition.
 */
export interface EventDefinition<Event extends z.ZodType = z.ZodType> {
  /** Of an object whose `type` is a literal; without the envelope. */
  readonly schema: Event;
  /** For people: when it is sent. */
  readonly description: string;
  /** For people: what it looks like. */
  example(): z.output<Event>;
  /**
   * Class of service. A key makes it *state*: only the latest event of a key matters, and `merge` may join two
   * of them when a client is slow. `undefined` makes it a *fact*: never merged, never dropped.
   */
  stateKey(event: z.output<Event>): string | undefined;
  /** One event in place of two consecutive ones of the same key; `undefined` when both have to be told. */
  merge(older: z.output<Event>, newer: z.output<Event>): z.output<Event> | undefined;
  /** What the filter `ids` compares; `undefined` passes it. */
  id(event: z.output<Event>): string | undefined;
  /** What the filter `paths` compares; `undefined` and `null` pass it. */
  changed(event: z.output<Event>): readonly string[] | null | undefined;
  /** As the legacy dialect says it: `undefined` when it has no word for it, the same object when nothing differs. */
  legacy(event: z.output<Event>): TypedMessage | undefined;
  /** For `delta=1`: what is different from `base`, the event of this type that was sent before. */
  delta?(base: z.output<Event>, event: z.output<Event>): TypedMessage;
}

export interface TypedMessage {
  readonly type: string;
}

type Definition<Event extends z.ZodType> = Pick<
  EventDefinition<Event>,
  "schema" | "description" | "example"
> &
  Partial<EventDefinition<Event>>;

/** An event type; unless told, it is a fact that the legacy dialect does not have. */
export function defineEvent<Event extends z.ZodType>(definition: Definition<Event>): EventDefinition<Event> {
  return {
    stateKey: () => undefined,
    merge: (_older, newer) => newer,
    id: () => undefined,
    changed: () => undefined,
    legacy: () => undefined,
    ...definition,
  };
}

/** A stream of events under one name, `ws://…/ws/<name>`, and the state that they add up to. */
export interface NamespaceDefinition<
  Name extends string = string,
  Events extends Readonly<Record<string, EventDefinition>> = Readonly<Record<string, EventDefinition>>,
  Snapshot extends z.ZodType = z.ZodType,
  Legacy extends z.ZodType = z.ZodType,
  State = never,
> {
  readonly name: Name;
  /** What is published, by `type`; v1 clients get these in an envelope. */
  readonly events: Events;
  /** Which of the filters of `StreamOptions` mean something here, besides `types`. */
  readonly filters: readonly ("ids" | "paths")[];
  /** Further types that the hub derives from them for v1 clients: deltas. */
  readonly derived: Readonly<Record<string, Pick<EventDefinition, "schema" | "description" | "example">>>;
  /** What a legacy client gets. */
  readonly legacyEvent: Legacy;
  readonly snapshotSchema: Snapshot;
  exampleSnapshot(): z.output<Snapshot>;
  /** The whole state as one v1 event; `ids` leaves out what they do not name. */
  snapshot(state: State, ids?: ReadonlySet<string>): z.output<Snapshot>;
  /** The whole state as ordinary events, for clients that know no snapshot. */
  restate(state: State): readonly z.output<Events[keyof Events]["schema"]>[];
}

export function defineNamespace<
  Name extends string,
  Events extends Readonly<Record<string, EventDefinition>>,
  Snapshot extends z.ZodType,
  Legacy extends z.ZodType,
  State,
>(
  definition: NamespaceDefinition<Name, Events, Snapshot, Legacy, State>,
): NamespaceDefinition<Name, Events, Snapshot, Legacy, State> {
  return definition;
}
