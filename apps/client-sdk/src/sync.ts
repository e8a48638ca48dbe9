import type { Envelope, Hello, Ping } from "@openscan/protocol";
import { backOff } from "./back-off.js";
import type { ClientClock } from "./clock.js";
import type { Connection } from "./connection.js";
import { ConnectionError } from "./connection-error.js";
import { compact, type Feed, type Folded, type Message } from "./feed.js";
import { parseMessage } from "./parse-message.js";
import { queryText } from "./query.js";
import type { Rest } from "./rest.js";
import type { Resync } from "./store.js";
import type { Validate } from "./scanner-client.js";

export type Dialect = "v1" | "legacy";

/** How long an unknown server may take to say hello; one that does not speaks the legacy dialect. */
const HELLO_MS = 1500;
/** Messages of a legacy server that may wait for the REST answer. */
const WAITING = 1024;

export interface SyncOptions<State, Event> {
  readonly feed: Feed<State, Event>;
  readonly url: string;
  /** Some events are not asked for, so the newest one need not arrive. */
  readonly filtered: boolean;
  readonly validate?: Validate;
  readonly rest: Rest;
  /** What it spoke last: one of v1 may be slow to say hello, and must not lose its place in the stream for it. */
  readonly server: { dialect?: Dialect };
  readonly clock: ClientClock;
  readonly random: () => number;
  readonly report: (error: unknown) => void;
  readonly onEvent: (state: State, event: Event | Resync<State>) => void;
  /** A message has been dealt with: `live` may have changed. */
  readonly onSettled: () => void;
}

/**
 * Makes state and events of the messages of one connection after another, in either dialect. Of v1 it proves
 * that nothing is missing: an event names the one that was sent before it. What cannot be proven ends the
 * connection, and the next one asks for everything after the last event that was delivered.
 */
export class Sync<State, Event extends object> {
  readonly #options: SyncOptions<State, Event>;
  #connection: Connection | undefined;
  #dialect: Dialect | undefined;
  #cancelWait = () => {};
  #resyncing = new AbortController();
  /** Messages of a legacy server that wait for the REST answer. */
  #waiting: Message[] | undefined;

  #state: State | undefined;
  #epoch: string | undefined;
  /** `seq` of the last event; `undefined` when only a snapshot can go on. */
  #last: number | undefined;
  /** Where a resume is complete. */
  #goal = 0;
  /** An event was of no use, so the state is not what deltas are made to. */
  #torn = false;
  #live = false;
  #started = false;

  constructor(options: SyncOptions<State, Event>) {
    this.#options = options;
  }

  /** The state is what the server has, as far as it told. */
  get live(): boolean {
    return this.#live;
  }

  /** It has been live since `reset`. */
  get started(): boolean {
    return this.#started;
  }

  /** For the next connection: goes on where the last one ended. */
  url(): string {
    const { url } = this.#options;
    if (this.#last === undefined) return url;
    return `${url}&${queryText({ since: this.#last, epoch: this.#epoch })}`;
  }

  opened(connection: Connection): void {
    const { clock, server } = this.#options;
    this.#connection = connection;
    if (server.dialect === "legacy") this.#speakLegacy();
    else if (!server.dialect) this.#cancelWait = clock.after(HELLO_MS, () => this.#speakLegacy());
  }

  /** The connection is gone. */
  ended(): void {
    this.#stopWaiting();
    this.#dialect = undefined;
    this.#live = false;
  }

  /** Nobody listens any more: what was missed from here on is no loss. */
  reset(): void {
    this.ended();
    this.#last = undefined;
    this.#started = false;
  }

  read(data: unknown): void {
    this.#attempt(() => this.#take(parseMessage(data)));
    this.#options.onSettled();
  }

  #take(message: Message): void {
    const { type } = message;
    if (type === "hello") return this.#greet(message as unknown as Hello);
    if (this.#dialect !== "v1") {
      // Only v1 counts: its hello was lost.
      if ("seq" in message || "last" in message) return this.#fail();
      this.#speakLegacy();
    }
    if (type === "ping") return this.#answer(message as unknown as Ping);
    if (this.#dialect === "legacy") return this.#acceptLegacy(message);
    if (type === "error") throw new Error(message["message"] as string);
    if (Number.isInteger(message["seq"])) this.#accept(message as Message & Envelope);
  }

  #answer({ last }: Ping): void {
    this.#connection?.send('{"type":"pong"}');
    if (last == null) return;
    if (last === this.#last) this.#live = true;
    else this.#fail();
  }

  #greet({ epoch, seq, heartbeat_ms, resume }: Hello): void {
    const { server, filtered } = this.#options;
    this.#stopWaiting();
    server.dialect = this.#dialect = "v1";
    this.#live = false;
    if (heartbeat_ms > 0) this.#connection?.expectHeartbeat(heartbeat_ms);
    const recovered = resume?.recovered === true;
    if (!recovered || epoch !== this.#epoch) this.#last = undefined;
    this.#epoch = epoch;
    if (this.#last !== undefined) {
      this.#goal = filtered ? this.#last : seq;
      this.#live = this.#last >= this.#goal;
    } else if (recovered) this.#fail(); // what is recovered is not what we have
  }

  #accept(message: Message & Envelope): void {
    const { feed, validate, onEvent } = this.#options;
    const { seq, prev, type } = message;
    const isSnapshot = message["snapshot"] === true;
    const startsAnew = isSnapshot && prev === null && seq > (this.#last ?? -1);
    if (!startsAnew && prev !== this.#last) {
      if (seq > (this.#last ?? -1)) this.#fail();
      return; // else a duplicate
    }
    if (isSnapshot) {
      validate?.(message, feed.name);
      const state = feed.snapshot(message);
      this.#last = seq;
      this.#torn = false;
      this.#restart(state, startsAnew);
      return;
    }
    const before = this.#state as State;
    let folded: Folded<State, Event> | undefined;
    try {
      validate?.(message, feed.name);
      if (!this.#torn || type !== feed.delta) folded = feed.fold(before, message);
    } catch (error) {
      this.#last = seq;
      this.#torn = true;
      throw error;
    }
    if (!folded) return this.#fail();
    if (folded.state !== before) this.#torn = false;
    this.#last = seq;
    this.#live ||= seq >= this.#goal;
    this.#state = folded.state;
    onEvent(folded.state, folded.event);
  }

  #speakLegacy(): void {
    const { server } = this.#options;
    if (this.#dialect) return;
    this.#stopWaiting();
    server.dialect = this.#dialect = "legacy";
    // What arrives from here on waits: a reply that was computed before an event can then never overwrite it,
    // and one computed after it is put right by the events that follow.
    this.#waiting = [];
    this.#resync(this.#resyncing.signal, 0);
  }

  /** Asks until it is answered or the connection is gone. */
  #resync(signal: AbortSignal, failures: number): void {
    const { feed, rest, clock, random, report } = this.#options;
    feed.fetch(rest, signal).then(
      (state) => !signal.aborted && this.#caughtUp(state),
      (error: unknown) => {
        if (signal.aborted) return;
        report(error);
        this.#cancelWait = clock.after(backOff(failures, random), () => this.#resync(signal, failures + 1));
      },
    );
  }

  #caughtUp(state: State): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    this.#last = undefined;
    this.#restart(state, true);
    for (const message of waiting) if (this.#live) this.#attempt(() => this.#acceptLegacy(message));
    this.#options.onSettled();
  }

  #acceptLegacy(message: Message): void {
    const { feed, validate, onEvent, url } = this.#options;
    if (this.#waiting) {
      this.#waiting.push(message);
      if (this.#waiting.length > WAITING)
        this.#waiting = compact(this.#waiting as Event[], feed) as Message[];
      if (this.#waiting.length > WAITING)
        this.#connection?.fail(new ConnectionError(`${url} sent more than could be kept`));
      return;
    }
    validate?.(message, feed.name);
    const folded = feed.fold(this.#state as State, message);
    // Of a type that this dialect does not have, or overtaken by the REST answer.
    if (!folded || folded.state === this.#state) return;
    this.#state = folded.state;
    onEvent(folded.state, folded.event);
  }

  /** A snapshot starts the stream, or starts it anew: with a gap, unless it continues the chain. */
  #restart(state: State, gap: boolean): void {
    const lost = this.#started && gap;
    this.#state = state;
    this.#live = true;
    this.#started = true;
    this.#options.onEvent(state, { type: "resync", state, lost });
  }

  #attempt(take: () => void): void {
    try {
      take();
    } catch (cause) {
      const { url, report } = this.#options;
      report(new Error(`${url} sent a message of no use: ${String(cause)}`, { cause }));
    }
  }

  #fail(): void {
    const { url } = this.#options;
    const what = this.#last === undefined ? "before the snapshot" : `after seq ${this.#last}`;
    this.#connection?.fail(new ConnectionError(`${url}: something is missing ${what}`, { gap: true }));
  }

  #stopWaiting(): void {
    this.#cancelWait();
    this.#resyncing.abort();
    this.#resyncing = new AbortController();
    this.#waiting = undefined;
  }
}
