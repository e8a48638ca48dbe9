/** Jobs that go on while their owner does something else, a few at a time; a failure reaches the owner. */
export class BackgroundJobs {
  readonly #limit: number;
  readonly #running = new Set<Promise<void>>();
  #failure: { readonly error: unknown } | undefined;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /**
   * Starts a job as soon as fewer than the limit run.
   *
   * @throws what an earlier job threw; the job is then not started
   */
  async start(job: () => Promise<unknown>): Promise<void> {
    while (this.#running.size >= this.#limit) await Promise.race(this.#running);
    this.#throwFailure();
    const running = this.#run(job).finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  /** @throws what a job threw, once all have ended */
  async done(): Promise<void> {
    await this.ended();
    this.#throwFailure();
  }

  /** Resolves when none runs, however they ended. */
  async ended(): Promise<void> {
    await Promise.all(this.#running);
  }

  async #run(job: () => Promise<unknown>): Promise<void> {
    try {
      await job();
    } catch (error) {
      this.#failure ??= { error };
    }
  }

  #throwFailure(): void {
    if (this.#failure) throw this.#failure.error;
  }
}
