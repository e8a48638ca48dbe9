import type { Server, ServerOptions } from "node:http";

/** For clients that send slowly or nothing at all; sized for a Raspberry Pi with its 256 streams. */
export const parserLimits = {
  maxHeaderSize: 16 * 1024,
  headersTimeout: 10_000,
  requestTimeout: 60_000,
  keepAliveTimeout: 5_000,
  connectionsCheckingInterval: 5_000,
} as const satisfies ServerOptions;

export interface ConnectionLimits {
  readonly connections: number;
  readonly headers: number;
  /** Longest time without a byte in either direction; longer than any movement of a motor takes. */
  readonly idleMs: number;
}

const connectionLimits: ConnectionLimits = { connections: 512, headers: 100, idleMs: 600_000 };

/** Sets what a server does not take as an option. */
export function limitConnections(
  server: Server,
  { connections, headers, idleMs }: ConnectionLimits = connectionLimits,
): void {
  server.maxConnections = connections;
  server.maxHeadersCount = headers;
  server.setTimeout(idleMs);
}
