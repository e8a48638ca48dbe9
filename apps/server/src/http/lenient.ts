import type { z } from "zod";

type Converter = (value: unknown) => unknown;
type Converters = Readonly<Record<string, Converter>>;

const toNumber: Converter = (value) =>
  typeof value === "string" && value.trim() !== "" && Number.isFinite(Number(value)) ? Number(value) : value;
const toBoolean: Converter = (value) => {
  const word = typeof value === "string" || typeof value === "number" ? String(value).toLowerCase() : "";
  if (["true", "1", "yes", "on", "t", "y"].includes(word)) return true;
  return ["false", "0", "no", "off", "f", "n"].includes(word) ? false : value;
};
const toList: Converter = (value) => (Array.isArray(value) ? value : [value]);

const scalars: Converters = { number: toNumber, int: toNumber, boolean: toBoolean };
/** A repeated parameter of a query arrives as a list only when it was given twice. */
const parameters: Converters = { ...scalars, array: toList };

/**
 * Parses as the existing backend does: `"5"` passes for a number and `"yes"` for a boolean, which query strings
 * need and scripts rely on.
 */
export function parseLenient<T extends z.ZodType>(
  schema: T,
  input: unknown,
  part: "path" | "query" | "body",
): z.ZodSafeParseResult<z.output<T>> {
  return schema.safeParse(lenient(schema, input, part === "query" ? parameters : scalars));
}

/** The input with those values converted that the schema rejects only for their type; a copy when there are any. */
export function lenient(schema: z.ZodType, input: unknown, converters: Converters = scalars): unknown {
  let value = input;
  // A list is converted first, its items in the second round.
  for (let round = 0; round < 2; round++) {
    const { error } = schema.safeParse(value);
    if (!error) return value;
    value = structuredClone(value);
    for (const issue of error.issues) {
      if (issue.code === "invalid_type") convertAt(value, issue.path, converters[issue.expected]);
    }
  }
  return value;
}

function convertAt(root: unknown, path: readonly PropertyKey[], convert: Converter | undefined): void {
  const key = path.at(-1);
  if (!convert || key === undefined) return;
  let parent = root as Record<PropertyKey, unknown>;
  for (const step of path.slice(0, -1)) parent = parent[step] as Record<PropertyKey, unknown>;
  if (parent[key] !== undefined) parent[key] = convert(parent[key]);
}
