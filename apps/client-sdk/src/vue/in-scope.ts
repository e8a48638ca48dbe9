import {
  getCurrentScope,
  hasInjectionContext,
  inject,
  type MaybeRefOrGetter,
  ssrContextKey,
  toRaw,
  toValue,
  watch,
} from "vue";

/**
 * Runs `connect` with the store that `source` gives, now and whenever that is another one. What it returns is
 * called before the next and at the end of the component or effect scope.
 *
 * @throws Error outside of both: nothing would ever end it
 */
export function connectInScope<Store extends object>(
  source: MaybeRefOrGetter<Store>,
  connect: (store: Store) => () => void,
): void {
  if (!getCurrentScope()) {
    throw new Error(
      "call it in the setup of a component or in an effectScope, whose end ends the subscription",
    );
  }
  // Rendering on a server ends no scope, and has no use for a connection.
  if (hasInjectionContext() && inject(ssrContextKey, undefined)) return;
  watch(
    () => raw(source),
    (store, _, onCleanup) => onCleanup(connect(store)),
    { immediate: true, flush: "sync" },
  );
}

/** A client kept in a `ref` or `reactive` comes as a proxy, through which private members cannot be reached. */
export function raw<Store extends object>(source: MaybeRefOrGetter<Store>): Store {
  return toRaw(toValue(source));
}
