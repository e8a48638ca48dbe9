import fc from "fast-check";
import type { JsonSchema } from "./operations.js";

/** Texts that have broken servers: paths, other encodings, other types' words, and sheer length. */
export const nastyTexts = [
  ...[
    "",
    " ",
    ".",
    "..",
    "../..",
    "..\\..",
    "/",
    "//",
    "/etc/passwd",
    "C:\\x",
    "%2e%2e%2f",
    "%2F",
    "%00",
    "%",
  ],
  ...[
    "\u0000",
    "a\u0000b",
    "\r\nX: 1",
    "\u202egnp.exe",
    "e\u0301\u0300",
    "\ud83d\ude00",
    "\u4e2d\u6587",
    "\ud800",
  ],
  ...[
    "__proto__",
    "constructor",
    "toString",
    "null",
    "undefined",
    "true",
    "NaN",
    "Infinity",
    "-0",
    "1e999",
    "0x10",
  ],
  ...[
    "CON",
    "nul.txt",
    ".hidden",
    "a".repeat(300),
    "\u{1f600}".repeat(200),
    "'; DROP TABLE",
    "<script>",
    "${x}",
  ],
];

/** Path tricks that would show: they point at a folder beside the server's own. */
const tricks = (outside: string): string[] => [
  `${outside}/evil`,
  `../outside/evil`,
  `../../outside/evil`,
  `../../../outside/evil`,
  `..\\..\\outside\\evil`,
  `x/../../../outside/evil.json`,
];

const text = (outside: string): fc.Arbitrary<string> =>
  fc.oneof(
    fc.constantFrom(...nastyTexts),
    fc.constantFrom(...tricks(outside)),
    fc.string({ maxLength: 20 }),
    fc.string({ unit: "binary", maxLength: 8 }),
  );

const oddNumbers = [0, -1, 1, -0, 0.5, 1e-9, 1e9, 2 ** 31, 2 ** 53, -(2 ** 53), 1e300, 5e-324];

/** Any JSON value, and more often one that is wrong in an interesting way. */
export const junk = (outside: string): fc.Arbitrary<unknown> =>
  fc.oneof(
    fc.constantFrom<unknown>(null, true, false, [], {}, [[]], [null], { "": 0 }, "5", "yes", ...oddNumbers),
    text(outside),
    fc.jsonValue({ maxDepth: 3 }),
  );

export interface Known {
  /** Values that exist on this scanner, by the name of the member or parameter. */
  readonly values: Readonly<Record<string, readonly unknown[]>>;
  /** The only values that fit, for what would take hours otherwise. */
  readonly quick: Readonly<Record<string, readonly unknown[]>>;
  readonly outside: string;
}

/** Values that fit a schema; bounds come up often. `name` is what the value is for. */
export function fitting(
  schema: JsonSchema,
  known: Known,
  root: JsonSchema,
  name = "",
): fc.Arbitrary<unknown> {
  const inner = (part: unknown, of = "") => fitting(part as JsonSchema, known, root, of);
  if (typeof schema["$ref"] === "string") return inner(resolved(schema["$ref"], root), name);
  const quick = known.quick[name];
  if (quick) return fc.constantFrom(...quick);
  const familiar = known.values[name];
  const own = bySchema(schema, inner, known);
  if (!familiar) return own;
  return fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...familiar) }, { weight: 1, arbitrary: own });
}

function bySchema(
  schema: JsonSchema,
  inner: (part: unknown, name?: string) => fc.Arbitrary<unknown>,
  { outside }: Known,
): fc.Arbitrary<unknown> {
  const choices = (schema["anyOf"] ?? schema["oneOf"]) as unknown[] | undefined;
  if (choices) return fc.oneof(...choices.map((choice) => inner(choice)));
  if (schema["allOf"]) {
    return fc
      .tuple(...(schema["allOf"] as unknown[]).map((part) => inner(part)))
      .map((parts) => Object.assign({}, ...parts) as unknown);
  }
  if ("const" in schema) return fc.constant(schema["const"]);
  if (Array.isArray(schema["enum"])) return fc.constantFrom(...(schema["enum"] as unknown[]));
  const types = [schema["type"] ?? []].flat() as string[];
  if (types.length > 1) return fc.oneof(...types.map((type) => inner({ ...schema, type })));
  const {
    minimum = -1e6,
    maximum = 1e6,
    minItems = 0,
    maxItems = 4,
    minLength = 0,
  } = schema as Record<string, number>;
  switch (types[0]) {
    case "null":
      return fc.constant(null);
    case "boolean":
      return fc.boolean();
    case "integer":
      return fc.oneof(
        fc.constantFrom(minimum, maximum),
        fc.integer({ min: Math.ceil(minimum), max: Math.floor(maximum) }),
      );
    case "number":
      return fc.oneof(
        fc.constantFrom(minimum, maximum),
        fc.double({ min: minimum, max: maximum, noNaN: true }),
      );
    case "string":
      return fc
        .oneof(fc.constantFrom("x", "Vase", "a b"), text(outside))
        .map((value) => value.padEnd(minLength, "x"));
    case "array": {
      const tuple = schema["prefixItems"] as unknown[] | undefined;
      if (tuple) return fc.tuple(...tuple.map((item) => inner(item)));
      return fc.array(inner(schema["items"] ?? {}), {
        minLength: minItems,
        maxLength: Math.min(maxItems, 6),
      });
    }
    case "object":
      return objectOf(schema, inner);
    default:
      return junk(outside);
  }
}

function objectOf(
  schema: JsonSchema,
  inner: (part: unknown, name?: string) => fc.Arbitrary<unknown>,
): fc.Arbitrary<unknown> {
  const properties = (schema["properties"] ?? {}) as Record<string, unknown>;
  const members = Object.fromEntries(
    Object.entries(properties).map(([name, part]) => [name, inner(part, name)]),
  );
  const own = fc.record(members, { requiredKeys: (schema["required"] ?? []) as string[] });
  const others = schema["additionalProperties"];
  if (typeof others !== "object" || others === null) return own;
  const more = fc.dictionary(fc.constantFrom("a", "rotor", "turntable", "b c", "x.y"), inner(others), {
    maxKeys: 3,
  });
  return fc.tuple(own, more).map(([one, two]) => ({ ...two, ...one }));
}

function resolved(pointer: string, root: JsonSchema): unknown {
  return pointer
    .slice(2)
    .split("/")
    .reduce<unknown>((value, key) => (value as Record<string, unknown>)[key], root);
}

/** The same with one thing wrong: a member gone, replaced or added. */
export function spoilt(value: fc.Arbitrary<unknown>, outside: string): fc.Arbitrary<unknown> {
  return fc
    .tuple(value, junk(outside), fc.nat(), fc.constantFrom("remove", "replace", "add"))
    .map(([whole, wrong, at, how]) => {
      if (typeof whole !== "object" || whole === null) return wrong;
      const copy = structuredClone(whole) as Record<string, unknown>;
      const keys = Object.keys(copy);
      const key = keys[at % Math.max(1, keys.length)];
      if (how === "add" || key === undefined) return { ...copy, [`extra ${at % 7}`]: wrong };
      if (how === "remove") delete copy[key];
      else copy[key] = wrong;
      return copy;
    });
}
