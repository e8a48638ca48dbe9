import { clearImmediate, setImmediate } from "node:timers"; // the end of a turn, not a time
import {
  type ErrorMessage,
  type EventDefinition,
  type Hello,
  type NamespaceDefinition,
  type NamespaceName,
  namespaces,
  type StreamOptions,
  type TypedMessage,
} from "@openscan/protocol";
import { type Clock, type Logger, timestamp } from "@openscan/runtime";
import { Connection, type ConnectionHost } from "./connection.js";
import type { Counters } from "./counters.js";
import { Filter } from "./filter.js";
import { type Heartbeat, idleMs } from "./heartbeat.js";
import { History } from "./history.js";
import type { HubSocket } from "./hub-socket.js";
import type { HubLimits } from "./limits.js";
import { type Dialect, Message } from "./message.js";
import { Stream, type StreamSource } from "./stream.js";
import { legacyRequest, requestInMessage, type StreamRequest } from "./stream-request.js";
import { Turn } from "./turn.js";
import { inEnvelope } from "./writing.js";

/** A turn's events above this go out before the turn ends, which bounds the batch and keeps the kernel busy. */
const batchBytes = 64 * 1024;

export interface ChannelOptions {
  readonly name: NamespaceName;
  readonly clock: Clock;
  readonly log: Logger;
  readonly limits: HubLimits;
  readonly counters: Counters;
  readonly heartbeat: Heartbeat;
  readonly server: Hello["server"];
  readonly epoch: string;
  /** The state that the events add up to, as it is now. */
  readonly state: () => unknown;
  readonly onFlushed: (seconds: number) => void;
}

/**
 * One namespace: its events in order, the latest of them, and its subscribers. The cost of an event is the
 * system call per subscriber, so the frames of one turn of the event loop are joined and written once per
 * subscriber, from a buffer that all in step share.
 */
export class Channel implements ConnectionHost, StreamSource {
  readonly clock: Clock;
  readonly log: Logger;
  readonly limits: HubLimits;
  readonly counters: Counters;
  readonly heartbeat: Heartbeat;
  readonly #options: ChannelOptions;
  readonly #namespace: NamespaceDefinition;
  readonly #history: History;
  readonly #connections: Readonly<Record<Dialect, Set<Connection>>> = { legacy: new Set(), v1: new Set() };
  #head = 0;
  #turn: Turn | undefined;
  #turnBytes = 0;
  #lastType = "";
  #flushSoon: NodeJS.Immediate | undefined;

  constructor(options: ChannelOptions) {
    this.clock = options.clock;
    this.log = options.log;
    this.limits = options.limits;
    this.counters = options.counters;
    this.heartbeat = options.heartbeat;
    this.#options = options;
    this.#namespace = namespaces[options.name] as unknown as NamespaceDefinition;
    this.#history = new History(options.limits);
  }

  /** `seq` of the newest event. */
  get head(): number {
    return this.#head;
  }

  /** How many have not gone yet, the closing ones included. */
  get size(): number {
    return this.#connections.legacy.size + this.#connections.v1.size;
  }

  /** All that have not gone yet, the closing ones included. */
  get connections(): Connection[] {
    return [...this.#connections.legacy, ...this.#connections.v1];
  }

  /** Open connections by dialect. */
  count(): Record<Dialect, number> {
    const open = (dialect: Dialect) =>
      [...this.#connections[dialect]].filter((connection) => connection.isOpen).length;
    return { legacy: open("legacy"), v1: open("v1") };
  }

  /** A new subscriber of what is published from now on. */
  accept(socket: HubSocket, request: StreamRequest = legacyRequest): Connection {
    const connection = new Connection(socket, this, new Stream(this, "legacy"));
    this.flush(); // what was published earlier in this turn is not for the newcomer
    this.#connections.legacy.add(connection);
    if (request.dialect === "v1") this.#speakV1(connection, request);
    return connection;
  }

  /** Closes a socket without making it a subscriber. */
  turnAway(socket: HubSocket, code: number, reason?: string): Connection {
    const connection = new Connection(socket, this, new Stream(this, "legacy"));
    connection.close(code, reason);
    return connection;
  }

  publish(event: TypedMessage): void {
    const definition = this.#namespace.events[event.type] as EventDefinition;
    const stamp = { seq: this.#head + 1, ts: timestamp(this.clock), at: this.clock.monotonic() };
    let message: Message;
    let size: number;
    try {
      message = new Message(event, definition, stamp);
      size = this.#capture(message);
    } catch (err) {
      this.log.error({ err, type: event.type }, "an event could not be serialised and was not sent");
      return;
    }
    this.#head = message.seq;
    this.#history.append(message);
    if (this.size === 0) return;
    this.#turn ??= new Turn();
    this.#turn.push(message);
    this.#turnBytes += size;
    this.#lastType = event.type;
    if (this.#turnBytes >= batchBytes) this.flush();
    else this.#flushSoon ??= setImmediate(() => this.flush());
  }

  /** Sends what was published in this turn so far. */
  flush(): void {
    const turn = this.#turn;
    if (!turn) return;
    clearImmediate(this.#flushSoon);
    this.#flushSoon = undefined;
    this.#turn = undefined;
    this.#turnBytes = 0;
    const now = this.clock.monotonic();
    for (const connection of this.#connections.legacy) connection.deliver(turn, this.#lastType, now);
    for (const connection of this.#connections.v1) connection.deliver(turn, this.#lastType, now);
    this.#options.onFlushed((this.clock.monotonic() - now) / 1000);
  }

  heard(connection: Connection, text: string): void {
    const request = requestInMessage(this.#options.name, text);
    if (!request) return;
    this.flush();
    if (connection.stream.dialect === "v1") this.#subscribe(connection, request);
    else this.#speakV1(connection, request);
  }

  left(connection: Connection): void {
    this.#connections.legacy.delete(connection);
    this.#connections.v1.delete(connection);
  }

  restate(dialect: Dialect, ids: ReadonlySet<string> | undefined, prev: number | null): string[] {
    const state = this.#options.state() as never;
    if (dialect === "v1") {
      const text = JSON.stringify(this.#namespace.snapshot(state, ids));
      return [inEnvelope(text, this.#head, prev, timestamp(this.clock))];
    }
    return this.#namespace.restate(state).map((event) => {
      const { type } = event as TypedMessage;
      return JSON.stringify(this.#namespace.events[type]?.legacy(event));
    });
  }

  /** Makes the texts that will be needed, while the event is as it is; returns how long they are. */
  #capture(message: Message): number {
    const { legacy, v1 } = this.#connections;
    const isFact = message.key === undefined;
    let size = 0;
    if (isFact || v1.size > 0) size = message.text("v1")?.length ?? 0;
    if (legacy.size > 0) size = Math.max(size, message.text("legacy")?.length ?? 0);
    return size;
  }

  #speakV1(connection: Connection, { options = {}, problems = [] }: StreamRequest): void {
    const { since } = options;
    const replay = this.#replay(options);
    const recovered = since === undefined ? null : replay !== undefined;
    if (recovered !== null) this.counters[recovered ? "recovered" : "refused"]++;
    const stream = new Stream(this, "v1", options, replay && since);
    if (replay) stream.queue(replay, this.clock.monotonic());
    else stream.start();
    this.#connections.legacy.delete(connection);
    this.#connections.v1.add(connection);
    connection.begin(stream, [JSON.stringify(this.#hello(recovered)), ...problems.map(errorText)]);
  }

  #subscribe(connection: Connection, { options = {}, problems = [] }: StreamRequest): void {
    connection.stream.ask(options);
    connection.begin(connection.stream, problems.map(errorText));
  }

  /** Every event that a client has missed, with nothing left out; `undefined` when that is not possible. */
  #replay(options: StreamOptions): Message[] | undefined {
    const { since, epoch } = options;
    if (since === undefined || epoch !== this.#options.epoch) return undefined;
    const missed = this.#history.since(since, Filter.of(options), this.clock.monotonic());
    try {
      let bytes = 0;
      for (const message of missed ?? []) {
        message.text("v1");
        bytes += message.size("v1");
      }
      // More would make the client too slow at once, and again whenever it comes back.
      return bytes > this.limits.pendingBytes ? undefined : missed;
    } catch (err) {
      this.log.error({ err }, "an event of the history could not be serialised");
      return undefined;
    }
  }

  #hello(recovered: boolean | null): Hello {
    const { server, name, epoch, limits } = this.#options;
    return {
      type: "hello",
      protocol: 1,
      server,
      namespace: name,
      epoch,
      seq: this.#head,
      now: timestamp(this.clock),
      heartbeat_ms: idleMs,
      resume: { max_events: limits.historyEvents, max_age_ms: limits.historyAgeMs, recovered },
    };
  }
}

function errorText({ code, message }: { code: ErrorMessage["code"]; message: string }): string {
  return JSON.stringify({ type: "error", code, message } satisfies ErrorMessage);
}
