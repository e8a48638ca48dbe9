import { type MaybeRefOrGetter, type ShallowRef, shallowRef } from "vue";
import type { Store, View } from "../store.js";
import { connectInScope, raw } from "./in-scope.js";

/**
 * The store's state and how fresh it is. The store stays connected until the component, or the effect scope,
 * ends. Use `computed(() => view.value.state?…)` for a part of it.
 */
export function useStore<State, Event>(
  store: MaybeRefOrGetter<Store<State, Event>>,
): Readonly<ShallowRef<View<State>>> {
  const view = shallowRef(raw(store).get());
  connectInScope(store, (connected) => {
    const read = () => {
      view.value = connected.get();
    };
    const undo = connected.subscribe(read);
    read();
    return undo;
  });
  return view;
}
