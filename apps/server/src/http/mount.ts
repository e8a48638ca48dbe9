import type { StreamPosition } from "@openscan/hub";
import { type ApiVersion, type NamespaceName, noBody, ScanError } from "@openscan/protocol";
import express, { type Request, type Response, type Router } from "express";
import { JsonText } from "./json-text.js";
import { parseLenient } from "./lenient.js";
import { ValidationError, validationError } from "./problems.js";
import type { Exchange, Route } from "./route.js";
import { shownReply } from "./shown-reply.js";
import { tellPosition } from "./stream-position.js";

export interface MountOptions {
  /** Parses each reply with its schema and fails loudly when it does not fit; for tests. */
  readonly checkResponses: boolean;
  /** Where the streams stand that replies describe the state of. */
  readonly position: (namespace: NamespaceName) => StreamPosition;
}

/** A router with every route that this API version has; a known path with another method answers 405. */
export function versionRouter(routes: readonly Route[], version: ApiVersion, options: MountOptions): Router {
  const router = express.Router();
  const offered = routes.filter(({ endpoint }) => endpoint.versions.includes(version));
  const methods = new Map<string, string[]>();
  for (const item of offered) {
    const path = expressPath(item.endpoint.path);
    methods.set(path, [...(methods.get(path) ?? []), item.endpoint.method.toUpperCase()]);
    router[item.endpoint.method](path, (req, res) =>
      answer(item, { req, res, version, signal: goneSignal(res) }, options),
    );
  }
  for (const [path, allowed] of methods) {
    router.all(path, (_req, res) => {
      res.status(405).set("Allow", allowed.join(", ")).json({ detail: "Method Not Allowed" });
    });
  }
  return router;
}

function expressPath(path: string): string {
  return path.replaceAll(/\{(\w+)\}/g, ":$1");
}

async function answer(
  { endpoint, handle }: Route,
  exchange: Exchange,
  { checkResponses, position }: MountOptions,
): Promise<void> {
  const { req, res } = exchange;
  tellPosition(res, endpoint, position);
  if (endpoint.body !== noBody && "unreadable" in res.locals) throw res.locals["unreadable"];
  const input = parseInput(endpoint, req);
  const reply = await handle(input as never, exchange);
  if (endpoint.media !== undefined || res.headersSent) return;
  res.status(endpoint.status);
  if (endpoint.status === 204) {
    res.end();
    return;
  }
  if (reply instanceof JsonText) {
    if (checkResponses) assertReply(endpoint, JSON.parse(reply.text));
    res.type("json").send(reply.text);
    return;
  }
  if (checkResponses) assertReply(endpoint, reply);
  res.json(shownReply(endpoint, exchange.version, reply));
}

function parseInput({ params, query, body }: Route["endpoint"], req: Request): Record<string, unknown> {
  const parts = {
    params: [params, { ...req.params }, "path"],
    query: [query, { ...req.query }, "query"],
    body: [body, req.body, "body"],
  } as const;
  const problems: ValidationError["problems"][number][] = [];
  const input: Record<string, unknown> = {};
  for (const [name, [schema, value, part]] of Object.entries(parts)) {
    const parsed = parseLenient(schema, value, part);
    if (parsed.success) input[name] = parsed.data;
    else problems.push(...validationError(part, parsed.error, value).problems);
  }
  if (problems.length > 0) throw new ValidationError(problems);
  return input;
}

function assertReply({ operationId, response }: Route["endpoint"], reply: unknown): void {
  const parsed = response.safeParse(reply);
  if (!parsed.success)
    throw new ScanError(
      "internal",
      `the reply of ${operationId} does not fit its schema: ${parsed.error.message}`,
    );
}

function goneSignal(res: Response): AbortSignal {
  const controller = new AbortController();
  res.once("close", () => {
    if (!res.writableFinished) controller.abort(new ScanError("cancelled", "the client went away"));
  });
  return controller.signal;
}
