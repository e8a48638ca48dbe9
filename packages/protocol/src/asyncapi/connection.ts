import { z } from "zod";
import { StreamOptions, subprotocols } from "../wire.js";
import { type JsonSchema, simplify } from "../named-schemas.js";

/** How to connect to a stream: what the handshake may carry. */
export interface Handshake {
  readonly method: "GET";
  readonly query: JsonSchema;
  readonly headers: JsonSchema;
  readonly bindingVersion: "0.1.0";
}

/** @param filters those of `StreamOptions` that the stream has */
export function handshake(filters: readonly string[]): Handshake {
  const options = Object.entries(StreamOptions.shape).filter(
    ([name]) => filters.includes(name) || !["ids", "paths"].includes(name),
  );
  return {
    method: "GET",
    query: {
      type: "object",
      properties: {
        v: { type: "string", enum: ["1"], description: "v1 without a subprotocol" },
        ...Object.fromEntries(options.map(([name, schema]) => [name, parameter(schema)])),
        ticket: { type: "string", description: "single use, of `POST /auth/ticket`" },
      },
    },
    headers: {
      type: "object",
      properties: {
        "Sec-WebSocket-Protocol": {
          type: "string",
          description: `\`${subprotocols.v1}\` for v1; \`${subprotocols.bearerPrefix}<token in base64url>\` to authenticate; both with a comma between`,
        },
        Authorization: { type: "string", description: "`Bearer <token>`" },
      },
    },
    bindingVersion: "0.1.0",
  };
}

/** An option of a stream as it is written in a query: lists with commas, yes as 1. */
function parameter(option: z.ZodType): JsonSchema {
  const { description, ...schema } = z.toJSONSchema(option, {
    target: "draft-07",
    override: ({ jsonSchema }) => simplify(jsonSchema),
  });
  if (schema.type === "array") return { type: "string", description: `${description}; several with commas` };
  if (schema.type === "boolean") return { type: "string", enum: ["1", "0"], description };
  const { $schema: _draft, ...plain } = schema;
  return { ...plain, description };
}

export const securitySchemes = {
  bearer: {
    type: "http",
    scheme: "bearer",
    description: "Only where the scanner has a token: `Authorization: Bearer <token>`.",
  },
  subprotocol: {
    type: "httpApiKey",
    in: "header",
    name: "Sec-WebSocket-Protocol",
    description: `The same for browsers, which cannot set headers: \`${subprotocols.bearerPrefix}<token in base64url>\`.`,
  },
  ticket: {
    type: "httpApiKey",
    in: "query",
    name: "ticket",
    description: "A single-use ticket of `POST /auth/ticket`, so that no token is in a URL.",
  },
} as const;
