export interface HubLimits {
  /** Connections over all namespaces. */
  readonly connections: number;
  /** Bytes waiting for one client above which state is merged per key. */
  readonly mergeBytes: number;
  /** Bytes waiting for one client above which a snapshot replaces the state, and facts that are still too much end it. */
  readonly pendingBytes: number;
  /** Longest gap that a resume can bridge. */
  readonly historyEvents: number;
  /** State counts roughly; a replay of more than `pendingBytes` is refused, however much is kept. */
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
