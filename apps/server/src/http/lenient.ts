import type { z } from "zod";

type Converter = (value: unknown) => unknown;

const toNumber: Converter = (value) =>
  typeof value === "string" && value.trim() !== "" && Number.isFinite(Number(value)) ? Number(value) : value;
const toBoolean: Converter = (value) => {
  const word = typeof value === "string" || typeof value === "number" ? String(value).toLowerCase() : "";
  if (["true", "1", "yes", "on", "t", "y"].includes(word)) return true;
  return ["false", "0", "no", "off", "f", "n"].includes(word) ? false : value;
};
const toArray: Converter = (value) => (Array.isArray(value) ? value : [value]);

const converters: Readonly<Record<string, Converter>> = {
  number: toNumber,
  int: toNumber,
  boolean: toBoolean,
  array: toArray,
};

/**
 * Parses as the existing backend does: `"5"` passes for a number and `"yes"` for a boolean, which query strings
 * need and scripts rely on. Only values that the schema rejected for their type are converted.
 */
export function parseLenient<T extends z.ZodType>(
  schema: T,
  input: unknown,
): z.ZodSafeParseResult<z.output<T>> {
  const strict = schema.safeParse(input);
  if (strict.success) return strict;
  const converted = structuredClone(input);
  let changed = false;
  for (const issue of strict.error.issues) {
    if (issue.code !== "invalid_type" || issue.path.length === 0) continue;
    // A repeated query parameter is an array only when it was given twice.
    if (issue.expected === "array" && issue.path.length !== 1) continue;
    changed = convertAt(converted, issue.path, converters[issue.expected]) || changed;
  }
  return changed ? schema.safeParse(converted) : strict;
}

function convertAt(root: unknown, path: readonly PropertyKey[], convert: Converter | undefined): boolean {
  if (!convert) return false;
  let parent = root as Record<PropertyKey, unknown>;
  for (const key of path.slice(0, -1)) parent = parent[key] as Record<PropertyKey, unknown>;
  const key = path[path.length - 1] as PropertyKey;
  if (parent[key] === undefined) return false;
  const value = convert(parent[key]);
  if (value === parent[key]) return false;
  parent[key] = value;
  return true;
}
