/** Holds one body while its task is paused; an abort opens it for good. */
export class PauseGate {
  readonly #signal: AbortSignal;
  readonly #waiting = new Set<() => void>();
  #closed = false;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    signal.addEventListener("abort", () => this.#wake(), { once: true });
  }

  get holds(): boolean {
    return this.#closed && !this.#signal.aborted;
  }

  close(): void {
    this.#closed = true;
  }

  open(): void {
    this.#closed = false;
    this.#wake();
  }

  /** Waits while the gate holds; throws the signal's reason when that was aborted. */
  async pass(): Promise<void> {
    while (this.holds) await new Promise<void>((resolve) => this.#waiting.add(resolve));
    this.#signal.throwIfAborted();
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }
}
