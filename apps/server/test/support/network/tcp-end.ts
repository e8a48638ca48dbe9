import type { Pipe } from "./pipe.js";

/** As `net.Socket` has it. */
const highWaterMark = 16 * 1024;

type Event = "drain" | "close" | "error" | "finish";

/**
 * One end of a TCP connection as `net.Socket` shows it to a writer: what the kernel has no room for waits in the
 * process, and counts until the whole write is taken.
 */
export class TcpEnd {
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly writableHighWaterMark = highWaterMark;
  readonly #out: Pipe;
  readonly #listeners = new Map<Event, Set<(error?: Error) => void>>();
  readonly #onEnd: () => void;
  #waiting: { readonly bytes: Buffer; taken: number }[] = [];
  #writableLength = 0;
  #bytesWritten = 0;
  #needsDrain = false;
  #onFlushed: (() => void) | undefined;
  #destroyed = false;

  /** @param onEnd called when the other end sees that this one is gone */
  constructor(out: Pipe, address: string, port: number, onEnd: () => void) {
    this.#out = out;
    this.remoteAddress = address;
    this.remotePort = port;
    this.#onEnd = onEnd;
    out.onRoom = () => this.#writeOn();
  }

  get writableLength(): number {
    return this.#writableLength;
  }

  get bytesWritten(): number {
    return this.#bytesWritten;
  }

  get destroyed(): boolean {
    return this.#destroyed;
  }

  get writable(): boolean {
    return !this.#destroyed && this.#onFlushed === undefined;
  }

  write(bytes: Buffer): boolean {
    if (!this.writable) return false;
    this.#bytesWritten += bytes.length;
    this.#writableLength += bytes.length;
    this.#waiting.push({ bytes, taken: 0 });
    if (this.#waiting.length === 1) this.#pour();
    if (this.#writableLength >= highWaterMark) this.#needsDrain = true;
    return this.#writableLength < highWaterMark;
  }

  /** Nothing more is written; calls back when the kernel has the rest. */
  end(onFlushed: () => void): void {
    this.#onFlushed = onFlushed;
    if (this.#writableLength === 0) onFlushed();
  }

  destroy(): this {
    if (this.#destroyed) return this;
    this.#destroyed = true;
    this.#waiting = [];
    this.#writableLength = 0;
    // What the kernel has already it still sends, and then the end of the stream.
    this.#out.end(this.#onEnd);
    queueMicrotask(() => this.#emit("close"));
    return this;
  }

  on(event: Event, listener: (error?: Error) => void): this {
    const listeners = this.#listeners.get(event) ?? new Set();
    this.#listeners.set(event, listeners.add(listener));
    return this;
  }

  off(event: Event, listener: (error?: Error) => void): this {
    this.#listeners.get(event)?.delete(listener);
    return this;
  }

  #emit(event: Event): void {
    for (const listener of this.#listeners.get(event) ?? []) listener();
  }

  #writeOn(): void {
    if (this.#destroyed || this.#waiting.length === 0) return;
    this.#pour();
    if (this.#writableLength > 0) return;
    if (this.#onFlushed) this.#onFlushed();
    else if (this.#needsDrain) {
      this.#needsDrain = false;
      this.#emit("drain");
    }
  }

  #pour(): void {
    for (let write = this.#waiting[0]; write; write = this.#waiting[0]) {
      write.taken += this.#out.offer(write.taken === 0 ? write.bytes : write.bytes.subarray(write.taken));
      if (write.taken < write.bytes.length) return;
      this.#waiting.shift();
      this.#writableLength -= write.bytes.length;
    }
  }
}
