import { randomUUID } from "node:crypto";
import {
  closeCodes,
  type EventOf,
  type NamespaceName,
  namespaces,
  ScanError,
  type StateOf,
  type TypedMessage,
} from "@openscan/protocol";
import type { Clock, Logger } from "@openscan/runtime";
import { Channel } from "./channel.js";
import type { Connection } from "./connection.js";
import { type Counters, noCounts } from "./counters.js";
import { Heartbeat } from "./heartbeat.js";
import type { HubSocket } from "./hub-socket.js";
import { defaultLimits, type HubLimits } from "./limits.js";
import type { Dialect } from "./message.js";
import type { StreamRequest } from "./stream-request.js";

export interface HubOptions {
  readonly clock: Clock;
  readonly log: Logger;
  /** What `hello` says of the server. */
  readonly server: { readonly name: string; readonly version: string };
  /** The state that the events of each namespace add up to; asked for every snapshot. */
  readonly state: { readonly [Name in NamespaceName]: () => StateOf<Name> };
  readonly limits?: Partial<HubLimits>;
  /** Makes the names of this run of the server; default: random UUIDs. */
  readonly newId?: () => string;
  /** Told how long it took to hand the events of one turn to all subscribers. */
  readonly onFlushed?: (namespace: NamespaceName, seconds: number) => void;
}

/** Where a namespace stands: the newest event, of a history that `epoch` names. */
export interface StreamPosition {
  readonly epoch: string;
  readonly seq: number;
}

export interface HubStats {
  /** Open connections. */
  readonly connections: Readonly<Record<NamespaceName, Readonly<Record<Dialect, number>>>>;
  /** Bytes that the kernel has not taken yet, over all connections. */
  readonly queuedBytes: number;
  /** State events that were joined with a newer one, so far. */
  readonly merged: number;
  /** State events for which a slow client got a snapshot instead. */
  readonly dropped: number;
  readonly snapshots: number;
  readonly resumes: { readonly recovered: number; readonly refused: number };
  /** Connections closed so far because they were too slow. */
  readonly closedSlow: number;
  /** Connections that had to make room for others. */
  readonly closedFull: number;
  /** Since the last pong of the connection that has been silent for longest. */
  readonly oldestPongMs: number;
}

const retryAfterMs = 10_000;
/** RFC 6455, section 5.5: a control frame carries 125 bytes, two of them the code. */
export const maxReasonBytes = 123;
const namespaceNames = Object.keys(namespaces) as NamespaceName[];

/** Sends the events of each namespace to its subscribers, in order, and never waits for one of them. */
export class Hub {
  readonly #clock: Clock;
  readonly #limits: HubLimits;
  readonly #epoch: string;
  readonly #counters: Counters = noCounts();
  readonly #channels: Readonly<Record<NamespaceName, Channel>>;
  #closed: Promise<void> | undefined;

  constructor(options: HubOptions) {
    const { clock, log, server, state, limits, newId = randomUUID, onFlushed } = options;
    this.#clock = clock;
    this.#limits = { ...defaultLimits, ...limits };
    this.#epoch = newId();
    const instance = newId();
    const heartbeat = new Heartbeat(clock);
    this.#channels = each((name) => {
      return new Channel({
        name,
        clock,
        log: log.child({ namespace: name }),
        limits: this.#limits,
        counters: this.#counters,
        heartbeat,
        server: { ...server, instance },
        epoch: this.#epoch,
        state: state[name],
        onFlushed: (seconds) => onFlushed?.(name, seconds),
      });
    });
  }

  /**
   * Lets an open socket receive the events published from now on; in v1 after `hello` and a snapshot or what it
   * has missed. When the hub is full, the connection that has been longest without inbound text makes room;
   * when the hub is closed, the socket is closed with 1001.
   *
   * @returns a function to call when the socket has closed
   */
  accept(namespace: NamespaceName, socket: HubSocket, request?: StreamRequest): () => void {
    if (this.#closed) return this.turnAway(namespace, socket, closeCodes.goingAway.code);
    this.#makeRoom();
    const connection = this.#channels[namespace].accept(socket, request);
    return () => connection.closed();
  }

  /** Closes a socket that was opened only to tell its client why. @returns as `accept` */
  turnAway(namespace: NamespaceName, socket: HubSocket, code: number, reason?: string): () => void {
    const connection = this.#channels[namespace].turnAway(socket, code, reason);
    return () => connection.closed();
  }

  /**
   * Sends `event` to the subscribers of `namespace`. It must not be changed afterwards: what a client gets may
   * be made of it later.
   */
  publish<Name extends NamespaceName>(namespace: Name, event: EventOf<Name>): void {
    this.#channels[namespace].publish(event as TypedMessage);
  }

  /** What an answer of the REST API is up to date with. */
  position(namespace: NamespaceName): StreamPosition {
    return { epoch: this.#epoch, seq: this.#channels[namespace].head };
  }

  /**
   * Closes every connection after what was published so far, and accepts no more.
   *
   * @param code close code for the clients: 1001 going away, 1012 restart
   * @param reason at most 123 bytes; JSON with `retry_after_ms` for 1012
   * @returns settles when all handshakes are done; a client that does not answer within a second is cut off
   * @throws ScanError `invalid` when the reason does not fit into a close frame
   */
  async close(code: 1001 | 1012 = closeCodes.goingAway.code, reason = ""): Promise<void> {
    const size = Buffer.byteLength(reason);
    if (size > maxReasonBytes) {
      throw new ScanError("invalid", `close reason has ${size} bytes, at most ${maxReasonBytes} fit`);
    }
    this.#closed ??= this.#closeAll(code, reason);
    await this.#closed;
  }

  stats(): HubStats {
    const { merged, dropped, snapshots, recovered, refused, closedSlow, closedFull } = this.#counters;
    const connections = this.#connections();
    const now = this.#clock.monotonic();
    return {
      connections: each((name) => this.#channels[name].count()),
      queuedBytes: connections.reduce((sum, { pendingBytes }) => sum + pendingBytes, 0),
      merged,
      dropped,
      snapshots,
      resumes: { recovered, refused },
      closedSlow,
      closedFull,
      oldestPongMs: connections
        .filter(({ isOpen }) => isOpen)
        .reduce((oldest, { heart }) => Math.max(oldest, now - heart.lastPong), 0),
    };
  }

  async #closeAll(code: number, reason: string): Promise<void> {
    for (const name of namespaceNames) this.#channels[name].flush();
    const connections = this.#connections();
    for (const connection of connections) connection.close(code, reason);
    await Promise.all(connections.map((connection) => connection.whenGone()));
  }

  #makeRoom(): void {
    // The whole list is looked at only when it may be too long: thousands may come at once.
    const count = namespaceNames.reduce((sum, name) => sum + this.#channels[name].size, 0);
    if (count < this.#limits.connections) return;
    const open = this.#connections().filter(({ isOpen }) => isOpen);
    if (open.length < this.#limits.connections) return;
    const quietest = open.reduce((a, b) => (b.lastTextAt < a.lastTextAt ? b : a));
    this.#counters.closedFull++;
    quietest.end(closeCodes.tryLater.code, JSON.stringify({ retry_after_ms: retryAfterMs }));
  }

  #connections(): Connection[] {
    return namespaceNames.flatMap((name) => this.#channels[name].connections);
  }
}

function each<Value>(make: (name: NamespaceName) => Value): Record<NamespaceName, Value> {
  return Object.fromEntries(namespaceNames.map((name) => [name, make(name)])) as Record<NamespaceName, Value>;
}
