import type { ApiVersion, Endpoint } from "@openscan/protocol";
import type { Request, Response } from "express";
import type { z } from "zod";
import type { JsonText } from "./json-text.js";

/** The HTTP side of one call, for handlers that stream, send files or need the caller's address. */
export interface Exchange {
  readonly req: Request;
  readonly res: Response;
  /** Aborted when the client goes away before the reply has been sent. */
  readonly signal: AbortSignal;
  readonly version: ApiVersion;
}

export interface Input<Params, Query, Body> {
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
}

/** An endpoint and what the server does for it. */
export interface Route {
  readonly endpoint: Endpoint;
  readonly handle: (input: Input<never, never, never>, exchange: Exchange) => unknown;
}

/**
 * Joins a definition with its handler. A handler returns the JSON reply, or writes a reply of another media type
 * itself and returns nothing. It catches nothing: whatever it throws becomes the matching error reply.
 */
export function route<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType, R extends z.ZodType>(
  endpoint: Endpoint<P, Q, B, R>,
  handle: (
    input: Input<z.output<P>, z.output<Q>, z.output<B>>,
    exchange: Exchange,
  ) => z.output<R> | JsonText | Promise<z.output<R> | void>,
): Route {
  return { endpoint, handle };
}
