import type { Socket } from "node:net";
import type { Clock, Logger } from "@openscan/runtime";
import type { WebSocket } from "ws";
/** An open WebSocket without permessage-deflate, and the TCP socket below it, to which data frames are written. */
export interface HubSocket {
  readonly webSocket: WebSocket;
  readonly tcp: Socket;
}
/** Whole frames for one write, and the type of the last event in them. */
export interface Batch {
  readonly bytes: Buffer;
  readonly type: string;
}
export interface ConnectionOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly maxPendingBytes: number;
  readonly onTooSlow: () => void;
}
/**
 * One subscriber. `ws` does the handshake, reads, answers pings and closes; data frames go to its TCP socket
 * directly. Both write whole frames synchronously, so they cannot interleave.
 */
export declare class Connection {
  #private;
  /** Settles when the socket has closed or was given up. */
  readonly gone: Promise<void>;
  constructor({ webSocket, tcp }: HubSocket, options: ConnectionOptions);
  /** Whether it still receives events. */
  get open(): boolean;
  /** Monotonic ms of the last inbound text, or of the start when there was none. */
  get lastTextAt(): number;
  /** Bytes that the kernel has not taken yet. */
  get pendingBytes(): number;
  /** Sends in order and never waits; does nothing once the connection is closing. */
  send(batch: Batch): void;
  /** Starts the close handshake, after what is queued; a client that does not finish it within a second is cut off. */
  close(code?: number, reason?: string): void;
  terminate(): void;
  /** To be called when the socket has closed. */
  closed(): void;
}
//# sourceMappingURL=connection.d.ts.map
