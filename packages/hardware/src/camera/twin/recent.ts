/** Keeps what was used last: at most `count` values that weigh `budget` together; always the newest. */
export class Recent<T> {
  readonly #entries = new Map<string, { readonly value: T; readonly weight: number }>();
  readonly #count: number;
  readonly #budget: number;
  #weight = 0;

  constructor(count: number, budget: number) {
    this.#count = count;
    this.#budget = budget;
  }

  get(key: string): T | undefined {
    const entry = this.#entries.get(key);
    if (!entry) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry.value;
  }

  set(key: string, value: T, weight: number): void {
    this.#remove(key);
    this.#entries.set(key, { value, weight });
    this.#weight += weight;
    for (const oldest of this.#entries.keys()) {
      const fits = this.#entries.size <= this.#count && this.#weight <= this.#budget;
      if (fits || this.#entries.size === 1) return;
      this.#remove(oldest);
    }
  }

  #remove(key: string): void {
    const entry = this.#entries.get(key);
    if (!entry) return;
    this.#entries.delete(key);
    this.#weight -= entry.weight;
  }
}
