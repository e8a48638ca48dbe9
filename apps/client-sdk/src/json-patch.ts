type Members = Readonly<Record<string, unknown>>;

/**
 * `base` with the change of a `device.delta`, whose keys are JSON Pointers (RFC 6901). Only what lies on the way
 * to a change is copied: everything else keeps its identity, so that UIs see what did not change.
 *
 * @returns `undefined` when a pointer leads nowhere: the change was made to something else
 */
export function patched<T extends object>(base: T, set: Members, unset: readonly string[]): T | undefined {
  let next: unknown = base;
  for (const pointer of unset) next &&= write(next, keys(pointer), undefined);
  for (const [pointer, value] of Object.entries(set)) next &&= write(next, keys(pointer), { value });
  return next as T | undefined;
}

function keys(pointer: string): string[] {
  return pointer
    .split("/")
    .slice(1)
    .map((key) => key.replaceAll("~1", "/").replaceAll("~0", "~"));
}

function write(parent: unknown, [key, ...rest]: string[], leaf: { value: unknown } | undefined): unknown {
  if (typeof parent !== "object" || !parent || Array.isArray(parent) || key === undefined) return undefined;
  const known = Object.hasOwn(parent, key);
  if (rest.length > 0) {
    const value = known && write((parent as Members)[key], rest, leaf);
    // A computed key makes a member of its own even of "__proto__".
    return value ? { ...parent, [key]: value } : undefined;
  }
  if (leaf) return { ...parent, [key]: leaf.value };
  if (!known) return undefined;
  const { [key]: _, ...others } = parent as Members;
  return others;
}
