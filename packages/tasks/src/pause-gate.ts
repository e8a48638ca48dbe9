/** Who closed a gate: a pause that somebody asked for is not ended by the body that asked for one, too. */
export type Holder = "user" | "body";

/** Holds one body while its task is paused; an abort opens it for good. */
export class PauseGate {
  readonly #signal: AbortSignal;
  readonly #waiting = new Set<() => void>();
  #holder: Holder | undefined;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    signal.addEventListener("abort", () => this.#wake(), { once: true });
  }

  get holds(): boolean {
    return this.#holder !== undefined && !this.#signal.aborted;
  }

  get holder(): Holder | undefined {
    return this.#holder;
  }

  close(holder: Holder): void {
    this.#holder = holder;
  }

  open(): void {
    this.#holder = undefined;
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
