export interface EventBufferOptions<T> {
  /** Items that may wait before `compact` is asked to merge them. */
  readonly limit: number;
  /** Merges what may be merged; what it returns still has to be in order. */
  readonly compact: (items: readonly T[]) => T[];
  /** Called once when nothing more can be pushed. */
  readonly onEnd: () => void;
}

/**
 * A bounded queue between a source that cannot wait and a loop that reads. Nothing is merged before `limit`
 * items wait. When merging does not help either, the buffer ends with an error instead of losing something
 * silently; what was in it can still be read.
 */
export class EventBuffer<T> implements AsyncIterableIterator<T, undefined> {
  readonly #options: EventBufferOptions<T>;
  readonly #reading = this.#read();
  #items: T[] = [];
  #ended = false;
  #error: Error | undefined;
  #wake = () => {};

  constructor(options: EventBufferOptions<T>) {
    this.#options = options;
  }

  push(item: T): void {
    if (this.#ended) return;
    const { limit, compact } = this.#options;
    this.#items.push(item);
    if (this.#items.length > limit) this.#items = compact(this.#items);
    if (this.#items.length > limit)
      this.end(new Error(`the reader fell behind by more than ${limit} events`));
    this.#wake();
  }

  /** No more items: readers get the rest, then `error` once if there is one, then the end. */
  end(error?: Error): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#error = error;
    this.#wake();
    this.#options.onEnd();
  }

  next(): Promise<IteratorResult<T, undefined>> {
    return this.#reading.next();
  }

  return(): Promise<IteratorResult<T, undefined>> {
    this.#items = [];
    this.end();
    return this.#reading.return(undefined);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async *#read(): AsyncGenerator<T, undefined, undefined> {
    for (;;) {
      const [item] = this.#items.splice(0, 1) as [T?];
      if (item !== undefined) yield item;
      else if (this.#ended) break;
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    if (this.#error) throw this.#error;
  }
}
