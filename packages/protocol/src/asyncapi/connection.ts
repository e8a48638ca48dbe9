import { z } from "zod";
import { StreamOptions, subprotocols } from "../wire.js";
import { type JsonSchema, simplify } from "./schemas.js";

/** How to connect: what the handshake may carry. */
export const handshake = {
  method: "GET",
  query: {
    type: "object",
    properties: {
      v: { type: "string", enum: ["1"], description: "v1 without a subprotocol" },
      ...Object.fromEntries(Object.entries(StreamOptions.shape).map(([name, of]) => [name, parameter(of)])),
      ticket: { type: "string", description: "single use, of POST /auth/ticket" },
    },
  },
  headers: {
    type: "object",
    properties: {
      "Sec-WebSocket-Protocol": {
        type: "string",
        description: `${subprotocols.v1} for v1; ${subprotocols.bearerPrefix}<token in base64url> to authenticate; both separated by a comma`,
      },
      Authorization: { type: "string", description: "Bearer and the token" },
    },
  },
  bindingVersion: "0.1.0",
} as const;

/** An option of a stream as it is written in a query: lists with commas, yes as 1. */
function parameter(option: z.ZodType): JsonSchema {
  const { description, ...schema } = z.toJSONSchema(option, {
    target: "draft-07",
    override: ({ jsonSchema }) => simplify(jsonSchema),
  });
  if (schema.type === "array") return { type: "string", description: `${description}; several with commas` };
  if (schema.type === "boolean") return { type: "string", enum: ["1"], description };
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
