/** Runs jobs one after the other, in the order in which they were asked for. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();

  /** Settles as the job does; a job that fails does not stop the next. */
  run<T>(job: () => Promise<T>): Promise<T> {
    const result = this.#last.then(job);
    this.#last = result.catch(() => {});
    return result;
  }

  /** Resolves when every job asked for so far has ended. */
  async ended(): Promise<void> {
    await this.#last;
  }
}
