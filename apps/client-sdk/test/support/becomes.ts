import type { Store } from "../../src/index.js";

/** Resolves as soon as the store has that freshness. Keeps its connection meanwhile. */
export async function becomes<State, Event>(store: Store<State, Event>, status: string): Promise<void> {
  await new Promise<void>((resolve) => {
    const check = () => {
      if (store.get().freshness.status !== status) return;
      undo();
      resolve();
    };
    const undo = store.subscribe(check);
    queueMicrotask(check);
  });
}
