import { z } from "zod";

export type JsonSchema = { readonly [keyword: string]: unknown };
export interface Reference {
  readonly $ref: string;
}

interface OverrideContext {
  readonly zodSchema: z.core.$ZodTypes;
  readonly jsonSchema: z.core.JSONSchema.BaseSchema;
}

export interface SchemaDialect {
  readonly target: "draft-07" | "draft-2020-12";
  /** Which side of schemas that change a value is told of. */
  readonly io: "input" | "output";
  /** Changes the JSON Schema of one zod schema, innermost first. */
  readonly override?: (context: OverrideContext) => void;
}

/** The schemas of a document: each has one name, and is referred to wherever it occurs. */
export class NamedSchemas {
  readonly #dialect: SchemaDialect;
  readonly #registry = z.registry<{ id: string }>();
  readonly #taken = new Set<string>();

  /** @param exported what a module exports; its schemas go by the names of their exports */
  constructor(exported: Readonly<Record<string, unknown>>, dialect: SchemaDialect) {
    this.#dialect = dialect;
    for (const [name, value] of Object.entries(exported))
      if (value instanceof z.ZodType) this.#add(value, name);
  }

  /** @param names for a schema that has none yet: the first one that is free */
  reference(schema: z.ZodType, ...names: readonly [string, ...string[]]): Reference {
    const name = this.#registry.get(schema)?.id ?? names.find((name) => !this.#taken.has(name));
    if (name === undefined) throw new Error(`there is more than one schema named ${names.join(" and ")}`);
    this.#add(schema, name);
    return { $ref: pointer(name) };
  }

  /** The JSON Schema of something that deserves no name. */
  inline(schema: z.ZodType): JsonSchema {
    const { $schema: _draft, ...inlined } = z.toJSONSchema(schema, this.#options()) as JsonSchema;
    return inlined;
  }

  /** The schemas that something in `roots` refers to, directly or through others. */
  reachableFrom(roots: unknown): Record<string, JsonSchema> {
    const { schemas } = z.toJSONSchema(this.#registry, {
      ...this.#options(),
      uri: pointer,
    });
    const found: Record<string, JsonSchema> = {};
    const collect = (value: unknown): void => {
      for (const name of referredBy(value)) {
        if (Object.hasOwn(found, name)) continue;
        const { $schema: _draft, $id: _pointer, ...schema } = schemas[name] as JsonSchema;
        found[name] = schema;
        collect(schema);
      }
    };
    collect(roots);
    return Object.fromEntries(Object.entries(found).sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  #options() {
    const { target, io, override } = this.#dialect;
    return {
      target,
      io,
      unrepresentable: "any",
      override: (context: OverrideContext) => {
        simplify(context.jsonSchema);
        override?.(context);
      },
    } as const;
  }

  #add(schema: z.ZodType, id: string): void {
    if (this.#registry.has(schema)) return;
    this.#registry.add(schema, { id });
    this.#taken.add(id);
  }
}

const prefix = "#/components/schemas/";
const pointer = (name: string) => prefix + name;

function referredBy(value: unknown): string[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, member]) =>
    key === "$ref" && typeof member === "string" && member.startsWith(prefix)
      ? [member.slice(prefix.length)]
      : referredBy(member),
  );
}

/** Leaves out what says nothing, and the ban on further members: clients ignore what they do not know. */
export function simplify(schema: z.core.JSONSchema.BaseSchema): void {
  if (schema.additionalProperties === false) delete schema.additionalProperties;
  if (schema.minimum === Number.MIN_SAFE_INTEGER) delete schema.minimum;
  if (schema.maximum === Number.MAX_SAFE_INTEGER) delete schema.maximum;
  delete schema.propertyNames;
  delete schema["undocumented"];
  delete schema["documentedAs"];
}
