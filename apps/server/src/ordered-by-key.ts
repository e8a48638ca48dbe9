/** Does things in order for each key, at once while nothing of that key is waited for. */
export class OrderedByKey {
  readonly #failed: (error: unknown) => void;
  readonly #last = new Map<string, Promise<void>>();

  /** @param failed told of what something that had to wait has thrown */
  constructor(failed: (error: unknown) => void) {
    this.#failed = failed;
  }

  /** Does it now, or after what is waited for. */
  run(key: string, work: () => void): void {
    if (this.#last.has(key)) this.wait(key, Promise.resolve(), work);
    else work();
  }

  /** Does it with a value when that is there, and everything before it was done. */
  wait<T>(key: string, value: Promise<T>, work: (value: T) => void): void {
    const before = this.#last.get(key) ?? Promise.resolve();
    const done: Promise<void> = Promise.all([value, before])
      .then(([known]) => work(known))
      .catch(this.#failed)
      .finally(() => {
        if (this.#last.get(key) === done) this.#last.delete(key);
      });
    this.#last.set(key, done);
  }

  /** Resolves when nothing is waited for. */
  async settled(): Promise<void> {
    while (this.#last.size > 0) await Promise.all(this.#last.values());
  }
}
