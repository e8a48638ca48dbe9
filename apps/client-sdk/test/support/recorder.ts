import type { DeviceEvent, Resync, ScannerClient, TaskEvent, View } from "../../src/index.js";
import type { DeviceStatus, Task } from "@openscan/protocol";

/** Something that calls a listener until its undo is called. */
export type Source<Item> = (listener: (item: Item) => void) => () => void;

/** What a listener gets, and a way to wait for it without looking at a clock. */
export class Recorder<Item> {
  readonly events: Item[] = [];
  readonly stop: () => void;
  readonly #waiting = new Set<() => void>();

  constructor(source: Source<Item>) {
    this.stop = source((item) => this.add(item));
  }

  add(item: Item): void {
    this.events.push(item);
    for (const check of this.#waiting) check();
  }

  /** Resolves once `found` is true of the items so far. */
  async until(found: (items: readonly Item[]) => boolean): Promise<void> {
    await new Promise<void>((resolve) => {
      const check = () => {
        if (!found(this.events)) return;
        this.#waiting.delete(check);
        resolve();
      };
      this.#waiting.add(check);
      check();
    });
  }

  count(amount: number): Promise<void> {
    return this.until((items) => items.length >= amount);
  }
}

export function taskEvents({ tasks }: ScannerClient): Source<TaskEvent | Resync<readonly Task[]>> {
  const types = ["resync", "task.update", "task.deleted", "task.stalled", "photo.captured"] as const;
  return (listener) => together(types.map((type) => tasks.on(type, listener)));
}

export function deviceEvents({ device }: ScannerClient): Source<DeviceEvent | Resync<DeviceStatus | null>> {
  const types = ["resync", "device.status", "device.fault"] as const;
  return (listener) => together(types.map((type) => device.on(type, listener)));
}

interface Watched<State> {
  get(): View<State>;
  subscribe(onChange: () => void): () => void;
}

/** Every view of a store, the present one first. */
export function views<State>(store: Watched<State>): Source<View<State>> {
  return (listener) => {
    listener(store.get());
    return store.subscribe(() => listener(store.get()));
  };
}

function together(undos: readonly (() => void)[]): () => void {
  return () => {
    for (const undo of undos) undo();
  };
}
