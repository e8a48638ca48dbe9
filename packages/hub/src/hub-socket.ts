/** What the hub uses of an open WebSocket of the package `ws`; it must not have negotiated compression. */
export interface HubWebSocket {
  /** 1 while it is open. */
  readonly readyState: number;
  on(event: "message", listener: (message: { toString(): string }, isBinary: boolean) => void): unknown;
  on(event: "pong", listener: () => void): unknown;
  on(event: "error", listener: (error: Error) => void): unknown;
  ping(): void;
  close(code?: number, reason?: string): void;
  terminate(): void;
}

/** What the hub uses of the TCP socket below it, to which frames are written directly. */
export interface HubTcpSocket {
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
  /** Bytes ever written, those that still wait in `writableLength` included. */
  readonly bytesWritten: number;
  readonly writableLength: number;
  readonly writableHighWaterMark: number;
  write(frames: Buffer): unknown;
  on(event: "drain", listener: () => void): unknown;
}

export interface HubSocket {
  readonly webSocket: HubWebSocket;
  readonly tcp: HubTcpSocket;
}
