const MAX_DEPTH = 100;

/**
 * A deeply frozen copy of a JSON value, so that a snapshot stays what it was. As with `JSON.stringify`, undefined
 * members are left out and numbers that are not finite become null.
 *
 * @throws TypeError naming what has no JSON form (functions, class instances, big integers, cycles)
 */
export function frozenJson(value: unknown, path = "$", depth = 0): unknown {
  if (depth > MAX_DEPTH) throw new TypeError(`nested deeper than ${MAX_DEPTH} levels`);
  if (value === null || typeof value === "string" || typeof value === "boolean") return value;
  if (typeof value === "number") return Number.isFinite(value) ? value : null;
  if (Array.isArray(value)) {
    return Object.freeze(
      value.map((item: unknown, index) => frozenJson(item ?? null, `${path}[${index}]`, depth + 1)),
    );
  }
  if (typeof value !== "object" || !isPlain(value)) throw new TypeError(`${path} is not JSON`);
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  return Object.freeze(
    Object.fromEntries(
      members.map(([name, member]) => [name, frozenJson(member, `${path}.${name}`, depth + 1)]),
    ),
  );
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
