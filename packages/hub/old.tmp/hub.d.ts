import { type EventOf, type NamespaceName } from "@openscan/protocol";
import type { Clock, Logger } from "@openscan/runtime";
import { type HubSocket } from "./connection.js";
export interface HubLimits {
  /** Connections over all namespaces; default 256. */
  readonly connections: number;
  /** Bytes that may wait for one slow client before it is closed; default 1 MiB. */
  readonly pendingBytes: number;
}
export interface HubOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly limits?: Partial<HubLimits>;
}
export interface HubStats {
  /** Open connections of each namespace. */
  readonly connections: Readonly<Record<NamespaceName, number>>;
  /** Bytes that the kernel has not taken yet, over all connections. */
  readonly queuedBytes: number;
  /** Connections closed so far because they were too slow. */
  readonly closedSlow: number;
}
declare const goingAway = 1001;
declare const restart = 1012;
/** Sends the events of each namespace to its subscribers, in order, and never waits for one of them. */
export declare class Hub {
  #private;
  constructor({ clock, log, limits }: HubOptions);
  /**
   * Lets an open socket receive the events published from now on. When the hub is full, the connection that
   * has been longest without inbound text makes room; when the hub is closed, the socket is closed with 1001.
   *
   * @returns a function to call when the socket has closed
   */
  accept(namespace: NamespaceName, socket: HubSocket): () => void;
  /** Sends `event`, as it is at this moment, to the subscribers of `namespace`. */
  publish<Name extends NamespaceName>(namespace: Name, event: EventOf<Name>): void;
  /**
   * Closes every connection after what was published so far, and accepts no more.
   *
   * @param code close code for the clients: 1001 going away, 1012 restart
   * @param reason at most 123 bytes; JSON with `retry_after_ms` for 1012
   * @returns settles when all handshakes are done; a client that does not answer within a second is cut off
   * @throws ScanError `invalid` when the reason does not fit into a close frame
   */
  close(code?: typeof goingAway | typeof restart, reason?: string): Promise<void>;
  stats(): HubStats;
}
export {};
//# sourceMappingURL=hub.d.ts.map
