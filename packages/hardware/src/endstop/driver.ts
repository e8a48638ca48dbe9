/** What reads one endstop line, debounced and pulled as its settings say. */
export interface EndstopDriver {
  /** The level of the line right now. */
  readonly high: boolean;
  /** Calls back after the level has changed; the returned function ends that. */
  onChange(listener: () => void): () => void;
  close(): Promise<void>;
}
