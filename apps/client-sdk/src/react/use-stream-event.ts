import { useEffect, useInsertionEffect, useRef } from "react";
import type { Listener } from "../listeners.js";
import type { Resync, Store, TypeOf } from "../store.js";

/**
 * Calls `listener` with every event of one type for as long as the component is mounted: what no state shows,
 * such as a photo that was captured. The listener may be written in place; the latest one is called.
 */
export function useStreamEvent<State, Event, Type extends TypeOf<Event | Resync<State>>>(
  store: Store<State, Event>,
  type: Type,
  listener: Listener<Extract<Event | Resync<State>, { readonly type: Type }>>,
): void {
  const latest = useRef(listener);
  useInsertionEffect(() => {
    latest.current = listener;
  });
  useEffect(() => store.on(type, (event) => latest.current(event)), [store, type]);
}
