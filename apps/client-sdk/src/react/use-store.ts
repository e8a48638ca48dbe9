import { type RefObject, useCallback, useEffect, useMemo, useRef, useSyncExternalStore } from "react";
import type { Store, View } from "../store.js";
import { sameValue } from "./same-value.js";

/** What a server renders, and what the first render in the browser has to agree with. */
const SERVER_VIEW: View<never> = { state: undefined, freshness: { status: "offline" } };

/**
 * The store's state and how fresh it is; renders again with every change. The component keeps the store
 * connected for as long as it is mounted.
 */
export function useStore<State, Event>(store: Store<State, Event>): View<State>;
/**
 * A part of it: renders again only when what `selector` picks has other contents, and keeps the same object
 * until then. A selector that is written in place is fine.
 */
export function useStore<State, Event, Selected>(
  store: Store<State, Event>,
  selector: (view: View<State>) => Selected,
): Selected;
export function useStore<State, Event>(
  store: Store<State, Event>,
  selector: (view: View<State>) => unknown = whole,
): unknown {
  const shown = useRef<unknown>(undefined);
  const subscribe = useCallback((onChange: () => void) => store.subscribe(onChange), [store]);
  const [get, getOnServer] = useMemo(
    () => [selection(() => store.get(), selector, shown), selection(() => SERVER_VIEW, selector, shown)],
    [store, selector],
  );
  const selected = useSyncExternalStore(subscribe, get, getOnServer);
  useEffect(() => {
    shown.current = selected;
  }, [selected]);
  return selected;
}

function whole<State>(view: View<State>): View<State> {
  return view;
}

/**
 * React asks more than once per render and takes another object for a change. So each view is selected from
 * once, and a selection equal to the one before, or to what is shown, is given as the same object.
 */
function selection<State>(
  get: () => View<State>,
  selector: (view: View<State>) => unknown,
  shown: RefObject<unknown>,
): () => unknown {
  let last: { readonly view: View<State>; readonly selected: unknown } | undefined;
  return () => {
    const view = get();
    if (last?.view === view) return last.selected;
    const before = last ? last.selected : shown.current;
    const selected = selector(view);
    last = { view, selected: sameValue(before, selected) ? before : selected };
    return last.selected;
  };
}
