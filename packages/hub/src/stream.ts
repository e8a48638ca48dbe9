import type { StreamOptions } from "@openscan/protocol";
import type { Counters } from "./counters.js";
import { Filter } from "./filter.js";
import { encodeTextFrames } from "./frame.js";
import type { HubLimits } from "./limits.js";
import type { Dialect, Message } from "./message.js";
import { Outbox } from "./outbox.js";
import type { Turn } from "./turn.js";
import { nowhere, type Position, type Style, styles, write, type Written } from "./writing.js";

/** What the streams of a namespace have in common. */
export interface StreamSource {
  readonly limits: HubLimits;
  readonly counters: Counters;
  /** `seq` of the newest event. */
  readonly head: number;
  /** The whole state as it is now, as JSON texts; `prev` keeps the proof that no fact before it is missing. */
  restate(dialect: Dialect, ids: ReadonlySet<string> | undefined, prev: number | null): string[];
}

const behindMs = 5_000;
/** Bytes of queued events per write: enough to keep the kernel busy. */
const pieceBytes = 64 * 1024;

/**
 * What one connection is still to be told, and how: its dialect and filter, its place in the stream, and the
 * queue of a client that is slow or wants rest between updates.
 */
export class Stream {
  readonly #source: StreamSource;
  #style: Style;
  #filter: Filter | undefined;
  #ids: ReadonlySet<string> | undefined;
  #intervalMs = 0;
  #position: Position;
  #outbox: Outbox | undefined;
  /** A snapshot is to be sent after the facts that wait; one that was asked for begins the chain of `prev` anew. */
  #restarting: "anew" | "amid" | undefined;
  #sentAt = Number.NEGATIVE_INFINITY;

  constructor(
    source: StreamSource,
    dialect: Dialect,
    options: StreamOptions = {},
    prev: number | null = null,
  ) {
    this.#source = source;
    this.#style = styles[dialect];
    this.#filterBy(options);
    this.#position = prev === null ? nowhere : { prev, base: undefined };
  }

  get dialect(): Dialect {
    return this.#style.dialect;
  }

  /** `seq` of the event that was sent last. */
  get last(): number | null {
    return this.#position.prev;
  }

  /** Bytes that wait here. */
  get bytes(): number {
    return this.#outbox?.bytes ?? 0;
  }

  /** The facts that wait, and the newest state of each key between them, are more than may wait. */
  get isTooSlow(): boolean {
    const { limits } = this.#source;
    return (
      this.#restarting !== undefined && this.#outbox?.hasFacts === true && this.bytes > limits.pendingBytes
    );
  }

  /** When there will be something to send that is held back at the moment. */
  get heldUntil(): number | undefined {
    if (!this.#outbox || this.#restarting || this.#outbox.hasFacts) return undefined;
    return this.#intervalMs > 0 ? this.#sentAt + this.#intervalMs : undefined;
  }

  /** Frames of what `turn` brings, when nothing stands between that and the socket; otherwise it is queued. */
  deliver(turn: Turn, hasRoom: boolean, now: number): Buffer | undefined {
    const messages = turn.select(this.#style, this.#filter);
    if (messages.length === 0) return undefined;
    if (hasRoom && !this.#outbox && !this.#restarting && this.#intervalMs === 0) {
      return this.#advance(turn.write(messages, this.#style, this.#position));
    }
    this.queue(messages, now);
    return undefined;
  }

  queue(messages: readonly Message[], now: number): void {
    if (messages.length === 0) return;
    const { limits, counters } = this.#source;
    this.#outbox ??= new Outbox(this.dialect, counters);
    if (this.#restarting) this.#outbox.keepNewest();
    else if (this.#intervalMs > 0) this.#outbox.merge();
    for (const message of messages) this.#outbox.push(message, now);
    if (this.#outbox.bytes > limits.mergeBytes) this.#outbox.merge();
    if (this.#outbox.bytes > limits.pendingBytes || this.#isBehind(now)) this.#restart("amid");
  }

  /** Sends a snapshot first. */
  start(): void {
    this.#restart("anew");
  }

  /** Another filter; the facts that the old one let pass stay. */
  ask(options: StreamOptions): void {
    this.#filterBy(options);
    this.#restart("anew");
  }

  /** What is held back may be sent at once. */
  release(): void {
    this.#sentAt = Number.NEGATIVE_INFINITY;
  }

  /** The next frames that may be sent now; `undefined` when there are none. */
  next(now: number): Buffer | undefined {
    if (this.#outbox && this.#isBehind(now)) this.#restart("amid");
    const { heldUntil } = this;
    if (heldUntil !== undefined && now < heldUntil) return undefined;
    if (this.#restarting && this.#outbox?.hasFacts === false) {
      this.#source.counters.dropped += this.#outbox.size;
      this.#outbox = undefined;
    }
    const messages = this.#outbox?.take(pieceBytes, this.#restarting !== undefined) ?? [];
    if (this.#outbox?.isEmpty) this.#outbox = undefined;
    if (messages.length > 0) {
      this.#sentAt = now;
      return this.#advance(write(messages, this.#style, this.#position));
    }
    // Facts that end with the newest event have told everything, with the state between them.
    if (this.#restarting === "amid" && this.last === this.#source.head) this.#restarting = undefined;
    if (!this.#restarting) return undefined;
    this.#sentAt = now;
    return this.#restated();
  }

  #filterBy(options: StreamOptions): void {
    if (this.dialect === "v1") this.#style = options.delta ? styles.v1Delta : styles.v1;
    this.#filter = Filter.of(options);
    this.#ids = options.ids && new Set(options.ids);
    this.#intervalMs = options.min_interval ?? 0;
  }

  /** Instead of state that waits, the whole state is sent once the facts that wait are sent, with the state between them. */
  #restart(how: "anew" | "amid"): void {
    if (this.#restarting !== "anew") this.#restarting = how;
    this.#outbox?.keepNewest();
  }

  #restated(): Buffer {
    const { counters, head } = this.#source;
    const prev = this.#restarting === "anew" ? null : this.#position.prev;
    this.#restarting = undefined;
    counters.snapshots++;
    const frames = encodeTextFrames(this.#source.restate(this.dialect, this.#ids, prev));
    return this.#advance({ frames, position: { prev: head, base: undefined } });
  }

  /** A client that wants rest is late by its own wish. */
  #isBehind(now: number): boolean {
    return now - (this.#outbox?.since ?? now) > behindMs + this.#intervalMs;
  }

  #advance({ frames, position }: Written): Buffer {
    this.#position = position;
    return frames;
  }
}
