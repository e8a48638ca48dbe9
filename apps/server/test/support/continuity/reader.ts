/** A loop over a store's events that goes on only when it is let: what a slow application does. */
export class Reader {
  readonly #take: (event: unknown) => void;
  #permits = 0;
  #wake = () => {};
  #gaveUp = false;

  constructor(events: AsyncIterable<unknown>, take: (event: unknown) => void) {
    this.#take = take;
    this.#loop(events).catch(() => {
      this.#gaveUp = true;
    });
  }

  /** The loop ended with an error, as it must when it is too slow even for merged events. */
  get gaveUp(): boolean {
    return this.#gaveUp;
  }

  allow(events: number): void {
    this.#permits += events;
    this.#wake();
  }

  async #loop(events: AsyncIterable<unknown>): Promise<void> {
    for await (const event of events) {
      this.#take(event);
      while (this.#permits <= 0) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
      this.#permits--;
    }
  }
}
