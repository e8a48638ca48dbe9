/** Large enough that reads and writes cost more than the calls that make them. */
const BLOCK_BYTES = 2 ** 20;
/** One is filled while others are being written. */
const BLOCKS = 4;

/** Takes bytes; resolves when it needs them no more, so that their memory can be used again. */
export type Write = (bytes: Uint8Array) => Promise<void>;

interface Block {
  readonly bytes: Buffer;
  /** Settles when the block has been written. */
  written: Promise<void>;
}

/**
 * Gathers bytes in a few blocks that are used again and again: memory stays the same however much passes through,
 * and what fills a block waits for whoever takes them.
 */
export class Blocks {
  readonly #write: Write;
  readonly #blocks: Block[] = [];
  #current = 0;
  /** Bytes in the current block. */
  #filled = 0;
  #passed = 0;

  constructor(write: Write) {
    this.#write = write;
  }

  /** Bytes put in so far. */
  get position(): number {
    return this.#passed + this.#filled;
  }

  async append(bytes: Uint8Array): Promise<void> {
    for (let done = 0; done < bytes.length; ) {
      const added = await this.fill(bytes.length - done, async (free) => {
        const part = bytes.subarray(done, done + free.length);
        free.set(part);
        return part.length;
      });
      done += added.length;
    }
  }

  /**
   * Has `read` put bytes into free memory, at least one and at most `most`; none when it has no more.
   *
   * @param read resolves with how many it has put in
   * @returns what was put in; valid until the next call
   */
  async fill(most: number, read: (free: Buffer) => Promise<number>): Promise<Uint8Array> {
    const { bytes } = await this.#free();
    const from = this.#filled;
    const count = await read(bytes.subarray(from, Math.min(BLOCK_BYTES, from + most)));
    this.#filled += count;
    return bytes.subarray(from, from + count);
  }

  /** Resolves when everything has been written. */
  async end(): Promise<void> {
    if (this.#filled > 0) this.#send();
    await Promise.all(this.#blocks.map(({ written }) => written));
  }

  /** The current block, which has room. */
  async #free(): Promise<Block> {
    if (this.#filled === BLOCK_BYTES) this.#send();
    // Memory that nobody else shares, and only as much of it as there is to say.
    const block = (this.#blocks[this.#current] ??= {
      bytes: Buffer.allocUnsafeSlow(BLOCK_BYTES),
      written: Promise.resolve(),
    });
    await block.written;
    return block;
  }

  #send(): void {
    const block = this.#blocks[this.#current] as Block;
    block.written = this.#write(block.bytes.subarray(0, this.#filled));
    // Whoever waits for the block hears of a failure; until then it must not count as unhandled.
    block.written.catch(() => {});
    this.#passed += this.#filled;
    this.#filled = 0;
    this.#current = (this.#current + 1) % BLOCKS;
  }
}
