import type { Clock } from "@openscan/runtime";

/** How fast one direction of a connection is. Nothing is lost by a slow or stalled one: that is what TCP promises. */
export type Pace = "flowing" | "stalled" | { readonly bytes: number; readonly everyMs: number };

export interface PipeOptions {
  readonly clock: Clock;
  readonly latencyMs: number;
  /** Bytes that the kernels of both ends hold. */
  readonly capacity: number;
  /** Some of the bytes in order, of any number. */
  readonly deliver: (bytes: Buffer) => void;
  /** The bytes that were ordered by `cutAfter` have passed. */
  readonly onCut: () => void;
}

/** One direction of a TCP connection between the write in one process and the read in the other. */
export class Pipe {
  readonly #options: PipeOptions;
  #held: Buffer[] = [];
  #size = 0;
  #pace: Pace = "flowing";
  #untilCut = Number.POSITIVE_INFINITY;
  #onEnd: (() => void) | undefined;
  #cancel: (() => void) | undefined;
  #stopped = false;
  #everHeldUp = false;
  /** Called when bytes were read, so that more can be written. */
  onRoom = () => {};

  constructor(options: PipeOptions) {
    this.#options = options;
  }

  /** Whether it ever let less pass than there was. */
  get everHeldUp(): boolean {
    return this.#everHeldUp;
  }

  set pace(pace: Pace) {
    if (pace !== "flowing") this.#everHeldUp = true;
    this.#pace = pace;
    this.#cancel?.();
    this.#cancel = undefined;
    this.#arm();
  }

  /** Takes what it has room for; returns how many bytes that were. */
  offer(bytes: Buffer): number {
    const taken = Math.min(bytes.length, this.#options.capacity - this.#size);
    if (taken < bytes.length) this.#everHeldUp = true;
    if (taken > 0) {
      this.#held.push(taken === bytes.length ? bytes : bytes.subarray(0, taken));
      this.#size += taken;
      this.#arm();
    }
    return taken;
  }

  /** Calls back when everything has been read, as the reader of a FIN sees it. */
  end(callback: () => void): void {
    this.#onEnd = callback;
    this.#arm();
  }

  /** The connection breaks when so many more bytes have passed. */
  cutAfter(bytes: number): void {
    this.#untilCut = bytes;
    this.#arm();
  }

  /** Everything passes, and an ordered cut is off. */
  heal(): void {
    this.#untilCut = Number.POSITIVE_INFINITY;
    this.pace = "flowing";
  }

  /** Nothing passes any more, and nobody is told: what is written fills the buffer and stays there. */
  stop(): void {
    this.#stopped = true;
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #arm(): void {
    if (this.#cancel || this.#stopped || this.#pace === "stalled") return;
    if (this.#size === 0 && !this.#onEnd && this.#untilCut > 0) return;
    const ms = this.#pace === "flowing" ? this.#options.latencyMs : this.#pace.everyMs;
    this.#cancel = this.#options.clock.after(ms, () => {
      this.#cancel = undefined;
      this.#pass(this.#pace === "flowing" ? this.#size : (this.#pace as { bytes: number }).bytes);
    });
  }

  #pass(most: number): void {
    const bytes = this.#take(Math.min(most, this.#size, this.#untilCut));
    this.#untilCut -= bytes.length;
    if (bytes.length > 0) this.#options.deliver(bytes);
    if (this.#stopped) return;
    if (this.#untilCut <= 0) {
      this.#options.onCut();
      return;
    }
    this.onRoom();
    if (this.#size === 0 && this.#onEnd) this.#onEnd();
    else this.#arm();
  }

  #take(count: number): Buffer {
    const all = this.#held.length === 1 ? (this.#held[0] as Buffer) : Buffer.concat(this.#held);
    this.#held = count < all.length ? [all.subarray(count)] : [];
    this.#size -= count;
    return all.subarray(0, count);
  }
}
