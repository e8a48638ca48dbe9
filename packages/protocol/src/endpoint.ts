import { z } from "zod";
import type { NamespaceName } from "./namespaces.js";

/** API versions with an own mount; `latest` is another name of the newest numbered one. */
export const apiVersions = ["0.8", "0.9", "next"] as const;
export type ApiVersion = (typeof apiVersions)[number];
export const latestVersion: ApiVersion = "0.9";

/**
 * Where the OpenAPI document says something else than a schema: it is what clients of the older backend were
 * generated from. What is wrong in every version is set right by JSON Schema keywords in `meta`, for example
 * `.default([]).meta({ default: undefined })` for a default that is not told.
 */
declare module "zod" {
  interface GlobalMeta {
    /** The document does not tell of this member or parameter, or not in these versions. */
    undocumented?: true | readonly ApiVersion[];
    /** What a version's document tells of this member instead. */
    documentedAs?: (version: ApiVersion) => { optional?: boolean; schema?: Record<string, unknown> };
  }
}

/** For `meta` of a member that the server fills in: the document calls it optional, replies always have it. */
export const filledIn = { documentedAs: () => ({ optional: true }) };

export type HttpMethod = "get" | "put" | "post" | "patch" | "delete";

const Nothing = z.object({});

/** The body of an operation that takes none: what a client sends is ignored, as existing clients expect. */
export const noBody = z.unknown().transform(() => undefined);

/**
 * One operation of the REST API: what it accepts and what it answers. The server validates and types its
 * handler with it, clients their calls.
 */
export interface Endpoint<
  Params extends z.ZodType = z.ZodType,
  Query extends z.ZodType = z.ZodType,
  Body extends z.ZodType = z.ZodType,
  Response extends z.ZodType = z.ZodType,
  Method extends HttpMethod = HttpMethod,
  Path extends string = string,
> {
  /** Name in the OpenAPI document; generated clients are built from it. */
  readonly operationId: string;
  readonly method: Method;
  /** Path below the mount with parameters in braces, e.g. `/motors/{motor_name}/angle`. */
  readonly path: Path;
  /** The reply tells of the state of this stream: it says at which event of it. */
  readonly describes?: NamespaceName;
  readonly versions: readonly ApiVersion[];
  readonly params: Params;
  readonly query: Query;
  /** Schema of the JSON body; of `undefined` when there is none. */
  readonly body: Body;
  readonly status: number;
  /** Schema of the JSON reply, or of a reply of another media type when `media` is set. */
  readonly response: Response;
  /** Media type of a reply that is not JSON: the handler writes it itself. */
  readonly media?: string;
}

interface Definition<
  P extends z.ZodType,
  Q extends z.ZodType,
  B extends z.ZodType,
  R extends z.ZodType,
  M extends HttpMethod,
  Path extends string,
> {
  readonly operationId: string;
  readonly method: M;
  readonly path: Path;
  readonly describes?: NamespaceName;
  readonly versions?: readonly ApiVersion[];
  readonly params?: P;
  readonly query?: Q;
  readonly body?: B;
  readonly status?: number;
  readonly response?: R;
  readonly media?: string;
}

export function defineEndpoint<
  P extends z.ZodType = typeof Nothing,
  Q extends z.ZodType = typeof Nothing,
  B extends z.ZodType = z.ZodUndefined,
  R extends z.ZodType = z.ZodUnknown,
  const M extends HttpMethod = HttpMethod,
  const Path extends string = string,
>(definition: Definition<P, Q, B, R, M, Path>): Endpoint<P, Q, B, R, M, Path> {
  return {
    versions: apiVersions,
    params: Nothing as unknown as P,
    query: Nothing as unknown as Q,
    body: noBody as unknown as B,
    response: z.unknown() as unknown as R,
    status: 200,
    ...definition,
  };
}
