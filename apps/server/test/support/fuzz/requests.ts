import fc from "fast-check";
import type { FuzzedOperation } from "./operations.js";
import { fitting, junk, type Known, nastyTexts, spoilt } from "./values.js";

export interface FuzzedRequest {
  readonly method: string;
  /** As it goes over the wire. */
  readonly path: string;
  readonly body: string | undefined;
  readonly contentType: string | undefined;
}

/** Requests to one operation: those that fit, those at the bounds, and those that are wrong somewhere. */
export function requestsTo(operation: FuzzedOperation, known: Known): fc.Arbitrary<FuzzedRequest> {
  const query = operation.parameters.filter((parameter) => parameter.in === "query");
  return fc
    .record({
      path: pathTo(operation, known),
      query: fc.record(
        Object.fromEntries(
          query.map(({ name, schema }) => [name, parameter(schema, known, operation, name)]),
        ),
        { requiredKeys: [] },
      ),
      body: bodyOf(operation, known),
      contentType: fc.constantFrom("application/json", "application/json", undefined, "text/plain"),
    })
    .map((request) => ({
      method: operation.method,
      path: request.path + queryText(request.query),
      body: request.body,
      contentType: request.contentType,
    }));
}

function parameter(
  schema: object,
  known: Known,
  { document }: FuzzedOperation,
  name: string,
): fc.Arbitrary<unknown> {
  return fc.oneof(
    { weight: 4, arbitrary: fitting(schema as never, known, document, name) },
    { weight: 1, arbitrary: junk(known.outside) },
  );
}

function pathTo(operation: FuzzedOperation, known: Known): fc.Arbitrary<string> {
  const parts = operation.path.split(/\{(\w+)\}/);
  const segments = parts.map((part, index) => {
    if (index % 2 === 0) return fc.constant(part);
    const { schema = {} } = operation.parameters.find(({ name }) => name === part) ?? {};
    return parameter(schema, known, operation, part).map(segmentText);
  });
  return fc.tuple(...segments).map((all) => `/${operation.mount}${all.join("")}`);
}

/** Mostly encoded as clients do it, so that it reaches the operation; a few come as they are. */
function segmentText(value: unknown): string {
  const text = typeof value === "string" ? value : (JSON.stringify(value) ?? "");
  if (/^[\w.%\\-]+$/.test(text) && text.length % 2 === 0) return text;
  return encoded(text) || "%20";
}

/** A lone surrogate has no encoding. */
const encoded = (text: string) => encodeURIComponent(text.replaceAll(/\p{Surrogate}/gu, "\ufffd"));

function queryText(query: Readonly<Record<string, unknown>>): string {
  const pairs = Object.entries(query).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value]).map((item) => {
      const text = typeof item === "string" ? item : (JSON.stringify(item) ?? "");
      return `${name}=${encoded(text)}`;
    }),
  );
  return pairs.length > 0 ? `?${pairs.join("&")}` : "";
}

function bodyOf({ body, document }: FuzzedOperation, known: Known): fc.Arbitrary<string | undefined> {
  const nothing = fc.constant(undefined);
  const broken = fc.constantFrom("", "{", "nul", '{"a":1,}', "[".repeat(5000), "\ufeff{}", ...nastyTexts);
  const anything = junk(known.outside).map((value) => JSON.stringify(value));
  if (!body) return fc.oneof({ weight: 4, arbitrary: nothing }, anything, broken);
  const valid = fitting(body, known, document);
  return fc.oneof(
    { weight: 5, arbitrary: valid.map((value) => JSON.stringify(value)) },
    { weight: 3, arbitrary: spoilt(valid, known.outside).map((value) => JSON.stringify(value)) },
    { weight: 1, arbitrary: anything },
    { weight: 1, arbitrary: broken },
    { weight: 1, arbitrary: nothing },
  );
}
