import { z } from "zod";
import { type ApiVersion, type Endpoint, noBody } from "./endpoint.js";
import * as protocol from "./index.js";
import { type JsonSchema, NamedSchemas, type Reference } from "./named-schemas.js";

export interface OpenApiOptions {
  /** The operations that the server has, those of other versions included. */
  readonly endpoints: readonly Endpoint[];
  readonly version: ApiVersion;
  /** First segments of the path, e.g. `/v0.9` or `/api/v0.9`. */
  readonly mount: string;
}

interface Parameter {
  readonly name: string;
  readonly in: "path" | "query";
  readonly required: boolean;
  readonly schema: JsonSchema | Reference;
  readonly description?: string;
}

type Content = Readonly<Record<string, { readonly schema: JsonSchema | Reference }>>;

interface Operation {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly summary: string;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly required: boolean; readonly content: Content };
  readonly responses: Readonly<Record<string, { readonly description: string; readonly content?: Content }>>;
}

/** An OpenAPI 3.1 document: plain JSON. */
export interface OpenApiDocument {
  readonly openapi: "3.1.0";
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  readonly servers: readonly { readonly url: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, JsonSchema>> };
}

/**
 * Describes the operations of one version, drawn from the definitions that the server runs on. Members that are
 * marked as undocumented for the version are left out: clients that are generated from the document know them as
 * little as the older backend does.
 */
export function openApiDocument({ endpoints, version, mount }: OpenApiOptions): OpenApiDocument {
  const schemas = new NamedSchemas(protocol, {
    target: "draft-2020-12",
    // What has a default may be left out of a request; of replies it says less than the server keeps to.
    io: "input",
    override: ({ zodSchema, jsonSchema }) => {
      tellMembers(zodSchema, jsonSchema, version);
      hideEmptyDefault(zodSchema, jsonSchema);
    },
  });
  const errors = {
    "422": {
      description: "The request does not fit",
      content: json(schemas.reference(protocol.ErrorBody, "ErrorBody")),
    },
    default: {
      description: "Another failure",
      content: json(schemas.reference(protocol.ErrorBody, "ErrorBody")),
    },
  };
  const paths: Record<string, Record<string, Operation>> = {};
  for (const endpoint of endpoints) {
    if (!endpoint.versions.includes(version)) continue;
    const operation = operationOf(endpoint, schemas, version);
    paths[endpoint.path] = {
      ...paths[endpoint.path],
      [endpoint.method]: { ...operation, responses: { ...operation.responses, ...errors } },
    };
  }
  return {
    openapi: "3.1.0",
    info: {
      title: `OpenScan3 API ${version === "next" ? "vnext" : `v${version}`}`,
      version,
      description:
        "Drives an OpenScan photogrammetry scanner. Events come over WebSockets: see asyncapi.json.",
    },
    servers: [{ url: mount }],
    paths,
    components: { schemas: schemas.reachableFrom(paths) },
  };
}

function operationOf(endpoint: Endpoint, schemas: NamedSchemas, version: ApiVersion): Operation {
  const { operationId, params, query, body, path } = endpoint;
  const parameters = [
    ...parametersOf("path", params, { operationId, schemas, version }),
    ...parametersOf("query", query, { operationId, schemas, version }),
  ];
  const name = pascalCase(operationId);
  return {
    operationId,
    tags: [path.split("/")[1] || "software"],
    summary: sentence(operationId),
    ...(parameters.length > 0 && { parameters }),
    ...(body !== noBody && {
      requestBody: {
        required: !body.safeParse(undefined).success,
        content: json(schemas.reference(withoutDefault(body), `${name}Request`)),
      },
    }),
    responses: { [endpoint.status]: replyOf(endpoint, schemas, `${name}Response`) },
  };
}

function replyOf({ status, media, response }: Endpoint, schemas: NamedSchemas, name: string) {
  const description = "Done";
  if (status === 204) return { description };
  if (media !== undefined) return { description, content: { [media]: { schema: {} } } };
  return { description, content: json(schemas.reference(response, name)) };
}

interface Surroundings {
  readonly operationId: string;
  readonly schemas: NamedSchemas;
  readonly version: ApiVersion;
}

function parametersOf(
  place: "path" | "query",
  object: z.ZodType,
  { operationId, schemas, version }: Surroundings,
): Parameter[] {
  if (!(object instanceof z.ZodObject)) throw new Error(`parameters of ${operationId} are not an object`);
  return Object.entries(object.shape as Record<string, z.ZodType>)
    .filter(([, schema]) => isDocumented(schema, version))
    .map(([name, schema]) => ({
      name,
      in: place,
      required: place === "path" || !schema.safeParse(undefined).success,
      schema: schemas.inline(schema),
    }));
}

const json = (schema: JsonSchema | Reference): Content => ({ "application/json": { schema } });

/** Whether clients of a version are told of a member. */
function isDocumented(schema: z.core.$ZodType, version: ApiVersion): boolean {
  const { undocumented = false } = z.globalRegistry.get(schema) ?? {};
  return Array.isArray(undocumented) ? !undocumented.includes(version) : !undocumented;
}

/** Leaves out members that a version's clients do not know, and tells of others what they know. */
function tellMembers(
  schema: z.core.$ZodTypes,
  json: z.core.JSONSchema.BaseSchema,
  version: ApiVersion,
): void {
  if (!(schema instanceof z.ZodObject)) return;
  const { properties = {} } = json;
  const required = new Set(json.required);
  for (const [name, member] of Object.entries(schema.shape)) {
    const { documentedAs } = z.globalRegistry.get(member) ?? {};
    if (isDocumented(member, version)) {
      const { optional = !required.has(name), schema = properties[name] } = documentedAs?.(version) ?? {};
      if (schema !== undefined) properties[name] = schema;
      if (optional) required.delete(name);
      else required.add(name);
    } else {
      delete properties[name];
      required.delete(name);
    }
  }
  if (required.size > 0) json.required = [...required];
  else delete json.required;
}

/** That something is null, or has the defaults of its own members, when it is left out goes without saying. */
function hideEmptyDefault(schema: z.core.$ZodTypes, json: z.core.JSONSchema.BaseSchema): void {
  if (json.default === null || schema instanceof z.ZodPrefault) delete json.default;
}

function withoutDefault(body: z.ZodType): z.ZodType {
  return body instanceof z.ZodPrefault ? (body.unwrap() as z.ZodType) : body;
}

const words = (name: string) => name.split("_");
const pascalCase = (name: string) =>
  words(name)
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join("");
const sentence = (name: string) => {
  const text = words(name).join(" ");
  return text.charAt(0).toUpperCase() + text.slice(1);
};
