/** A change of a JSON value: keys are JSON Pointers (RFC 6901), so names may hold dots, spaces and slashes. */
export interface JsonDelta {
  readonly set: Record<string, unknown>;
  readonly unset: string[];
}

/**
 * What turns `base` into `next`, both plain JSON objects. Objects are compared member by member, anything else,
 * lists included, is replaced whole.
 */
export function jsonDelta(base: object, next: object): JsonDelta {
  const set: Record<string, unknown> = {};
  const unset: string[] = [];
  collect(base as Members, next as Members, "", set, unset);
  return { set, unset };
}

type Members = Readonly<Record<string, unknown>>;

function collect(
  base: Members,
  next: Members,
  pointer: string,
  set: Record<string, unknown>,
  unset: string[],
): void {
  for (const key of Object.keys(base)) if (!Object.hasOwn(next, key)) unset.push(child(pointer, key));
  for (const [key, value] of Object.entries(next)) {
    const old = Object.hasOwn(base, key) ? base[key] : undefined;
    if (old === value) continue;
    if (isMembers(old) && isMembers(value)) collect(old, value, child(pointer, key), set, unset);
    else if (old === undefined || JSON.stringify(old) !== JSON.stringify(value))
      set[child(pointer, key)] = value;
  }
}

function child(pointer: string, key: string): string {
  return `${pointer}/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`;
}

function isMembers(value: unknown): value is Members {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
