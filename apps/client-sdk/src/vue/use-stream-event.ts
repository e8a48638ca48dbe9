import type { MaybeRefOrGetter } from "vue";
import type { Listener } from "../listeners.js";
import type { Resync, Store, TypeOf } from "../store.js";
import { connectInScope } from "./in-scope.js";

/**
 * Calls `listener` with every event of one type until the component, or the effect scope, ends: what no state
 * shows, such as a photo that was captured.
 */
export function useStreamEvent<State, Event, Type extends TypeOf<Event | Resync<State>>>(
  store: MaybeRefOrGetter<Store<State, Event>>,
  type: Type,
  listener: Listener<Extract<Event | Resync<State>, { readonly type: Type }>>,
): void {
  connectInScope(store, (connected) => connected.on(type, listener));
}
