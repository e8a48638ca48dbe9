interface Waiter<T> {
  resolve(result: IteratorResult<T, undefined>): void;
  reject(error: Error): void;
}

export interface EventBufferOptions<T> {
  /** Items that may wait before `compact` is asked to merge them. */
  readonly limit: number;
  /** Merges what may be merged; what it returns still has to be in order. */
  readonly compact: (items: readonly T[]) => T[];
  /** Called once when nothing more can be pushed. */
  readonly onEnd?: () => void;
}

/**
 * A bounded queue between a source that cannot wait and a loop that reads. Nothing is merged before `limit`
 * items wait. When merging does not help either, the buffer ends with an error instead of losing something
 * silently; what was in it can still be read.
 */
export class EventBuffer<T extends object> implements AsyncIterableIterator<T, undefined> {
  readonly #options: EventBufferOptions<T>;
  #items: T[] = [];
  readonly #waiters: Waiter<T>[] = [];
  #ended = false;
  #error: Error | undefined;

  constructor(options: EventBufferOptions<T>) {
    this.#options = options;
  }

  push(item: T): void {
    if (this.#ended) return;
    const waiter = this.#waiters.shift();
    if (waiter) {
      waiter.resolve({ value: item, done: false });
      return;
    }
    const { limit, compact } = this.#options;
    this.#items.push(item);
    if (this.#items.length > limit) this.#items = compact(this.#items);
    if (this.#items.length > limit)
      this.end(new Error(`the reader fell behind by more than ${limit} events`));
  }

  /** No more items: readers get the rest, then `error` once if there is one, then the end. */
  end(error?: Error): void {
    if (this.#ended) return;
    this.#ended = true;
    const [first, ...others] = this.#waiters.splice(0);
    if (first && error !== undefined) first.reject(error);
    else first?.resolve({ value: undefined, done: true });
    for (const waiter of others) waiter.resolve({ value: undefined, done: true });
    if (!first) this.#error = error;
    this.#options.onEnd?.();
  }

  next(): Promise<IteratorResult<T, undefined>> {
    const [item] = this.#items.splice(0, 1);
    if (item !== undefined) return Promise.resolve({ value: item, done: false });
    if (!this.#ended) return new Promise((resolve, reject) => this.#waiters.push({ resolve, reject }));
    const error = this.#error;
    this.#error = undefined;
    if (error !== undefined) return Promise.reject(error);
    return Promise.resolve({ value: undefined, done: true });
  }

  return(): Promise<IteratorResult<T, undefined>> {
    this.#items = [];
    this.end();
    this.#error = undefined;
    return Promise.resolve({ value: undefined, done: true });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
