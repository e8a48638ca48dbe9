import type { EventDefinition, TypedMessage } from "@openscan/protocol";

export type Dialect = "legacy" | "v1";

/** When an event was published: `seq` in its namespace, `ts` for people, `at` in monotonic ms. */
interface Stamp {
  readonly seq: number;
  readonly ts: string;
  readonly at: number;
}

/**
 * A published event, or one in place of several. It is shared by the history and by every connection, so
 * what is made of it (texts, merged events) is made once.
 */
export class Message {
  readonly event: TypedMessage;
  readonly definition: EventDefinition;
  /** Of state: what it is the state of; `undefined` makes it a fact. */
  readonly key: string | undefined;
  /** Key of the state that a fact ends: state before it is not merged with state after it. */
  readonly ends: string | undefined;
  readonly #stamp: Stamp;
  #v1: string | undefined;
  #legacy: string | undefined;
  /** About as long. */
  readonly #like: Message | undefined;
  #merged: WeakMap<Message, Message> | undefined;

  constructor(event: TypedMessage, definition: EventDefinition, stamp: Stamp, like?: Message) {
    this.event = event;
    this.#like = like;
    this.definition = definition;
    const key = definition.stateKey(event);
    this.key = key === undefined ? undefined : `${event.type} ${key}`;
    this.ends = key === undefined ? `${event.type} ${definition.id(event)}` : undefined;
    this.#stamp = stamp;
  }

  get seq(): number {
    return this.#stamp.seq;
  }

  get ts(): string {
    return this.#stamp.ts;
  }

  get at(): number {
    return this.#stamp.at;
  }

  get changed(): readonly string[] | null | undefined {
    return this.definition.changed(this.event);
  }

  /** The event as JSON, without envelope; `undefined` when the dialect has no word for it. */
  text(dialect: Dialect): string | undefined {
    if (dialect === "v1") {
      this.#v1 ??= JSON.stringify(this.event);
      return this.#v1;
    }
    if (this.#legacy !== undefined) return this.#legacy;
    const legacy = this.definition.legacy(this.event);
    this.#legacy = legacy === this.event ? this.text("v1") : JSON.stringify(legacy);
    return this.#legacy;
  }

  /** Bytes of the text. What is merged counts as its newest part: it may never be written. */
  size(dialect: Dialect): number {
    if (this.#like) return this.#like.size(dialect);
    return Buffer.byteLength(this.text(dialect) ?? "");
  }

  /** Whether `older`, of the same key, need not be told any more. */
  supersedes(older: Message): boolean {
    return this.definition.merge(older.event, this.event) !== undefined;
  }

  /** One message in place of `older`, of the same key, and this one; `undefined` when both have to be told. */
  mergedWith(older: Message): Message | undefined {
    const known = this.#merged?.get(older);
    if (known) return known;
    const event = this.definition.merge(older.event, this.event) as TypedMessage | undefined;
    if (!event || event === this.event) return event && this;
    const merged = new Message(event, this.definition, this.#stamp, this);
    // Weak: what is merged into this one must not outlive its own use.
    this.#merged ??= new WeakMap();
    this.#merged.set(older, merged);
    return merged;
  }

  /** The same state as news about `changed`. */
  withChanged(changed: readonly string[] | null): Message {
    return new Message({ ...this.event, changed } as TypedMessage, this.definition, this.#stamp, this);
  }
}
