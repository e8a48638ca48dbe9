const sampleMs = 1_000;
const stallMs = 10_000;
/**
 * Reports a TCP socket of whose pending bytes the kernel took none for 10 s. It samples once a second, and
 * only while bytes are pending. Progress shows when a write completes, not within one.
 */
export class StallWatch {
  #clock;
  #tcp;
  #stalled;
  #cancel;
  constructor(clock, tcp, stalled) {
    this.#clock = clock;
    this.#tcp = tcp;
    this.#stalled = stalled;
  }
  /** To be called after every write. */
  wrote() {
    if (this.#cancel || this.#tcp.writableLength === 0) return;
    this.#sampleAfter(this.#taken, this.#clock.monotonic());
  }
  stop() {
    this.#cancel?.();
    this.#cancel = undefined;
  }
  #sampleAfter(taken, since) {
    this.#cancel = this.#clock.after(sampleMs, () => {
      this.#cancel = undefined;
      if (this.#tcp.writableLength === 0) return;
      const now = this.#clock.monotonic();
      if (this.#taken > taken) this.#sampleAfter(this.#taken, now);
      else if (now - since < stallMs) this.#sampleAfter(taken, since);
      else this.#stalled();
    });
  }
  /** Bytes that the kernel has taken: `bytesWritten` also counts those still waiting in Node. */
  get #taken() {
    return this.#tcp.bytesWritten - this.#tcp.writableLength;
  }
}
//# sourceMappingURL=stall-watch.js.map
