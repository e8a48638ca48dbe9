export interface HubLimits {
  /** Connections over all namespaces. */
  readonly connections: number;
  /** Bytes waiting for one client above which state is merged per key. */
  readonly mergeBytes: number;
  /** Bytes waiting for one client above which a snapshot replaces the state, and facts alone end the connection. */
  readonly pendingBytes: number;
  /** Longest gap that a resume can bridge. */
  readonly historyEvents: number;
  /** At most half of `pendingBytes`, so that a replay does not make a client too slow. */
  readonly historyBytes: number;
  readonly historyAgeMs: number;
}

export const defaultLimits: HubLimits = {
  connections: 256,
  mergeBytes: 256 * 1024,
  pendingBytes: 1024 * 1024,
  historyEvents: 4096,
  historyBytes: 512 * 1024,
  historyAgeMs: 60 * 60 * 1000,
};
