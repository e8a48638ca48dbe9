/** Members to change, at any depth; `undefined` removes one. Lists are replaced whole. */
export type Patch<T> = T extends readonly unknown[]
  ? T
  : T extends object
    ? { readonly [Key in keyof T]?: Patch<T[Key]> | undefined }
    : T;

/** `value` with the members of `patch`; neither is changed. */
export function patched<T>(value: T, patch: Patch<NoInfer<T>>): T {
  if (!isObject(value) || !isObject(patch)) return patch as T;
  const result: Record<string, unknown> = { ...value };
  for (const [key, member] of Object.entries(patch)) {
    if (member === undefined) delete result[key];
    else result[key] = patched(Object.hasOwn(value, key) ? value[key] : undefined, member);
  }
  return result as T;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
