/** What happened since the start, over all connections. */
export interface Counters {
  /** State events that were joined with a newer one, for a slow client or one that asked for `min_interval`. */
  merged: number;
  /** State events for which a slow client got a snapshot instead. */
  dropped: number;
  snapshots: number;
  recovered: number;
  refused: number;
  closedSlow: number;
  closedFull: number;
}

export function noCounts(): Counters {
  return { merged: 0, dropped: 0, snapshots: 0, recovered: 0, refused: 0, closedSlow: 0, closedFull: 0 };
}
