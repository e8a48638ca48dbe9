import type { OpenApiDocument } from "@openscan/protocol/openapi";

export type JsonSchema = Readonly<Record<string, unknown>>;

export interface FuzzedOperation {
  /** First segment of its addresses: `v0.9`. */
  readonly mount: string;
  readonly id: string;
  readonly method: string;
  /** With parameters in braces. */
  readonly path: string;
  readonly parameters: readonly { readonly name: string; readonly in: string; readonly schema: JsonSchema }[];
  readonly body: JsonSchema | undefined;
  /** Replies that are no JSON may have no end. */
  readonly media: string | undefined;
  readonly document: JsonSchema;
}

/** Every operation of every version; one that several versions describe alike is there once, as the newest has it. */
export function operationsOf(documents: Readonly<Record<string, OpenApiDocument>>): FuzzedOperation[] {
  const found = new Map<string, FuzzedOperation>();
  for (const [mount, document] of Object.entries(documents))
    for (const [path, methods] of Object.entries(document.paths))
      for (const [method, operation] of Object.entries(methods)) {
        const { operationId: id, parameters = [], requestBody, responses } = operation;
        const [media] = Object.keys(Object.values(responses)[0]?.content ?? {});
        const key = JSON.stringify([method, path, parameters, requestBody]);
        found.delete(key);
        found.set(key, {
          mount,
          id,
          method: method.toUpperCase(),
          path,
          parameters: parameters as FuzzedOperation["parameters"],
          body: requestBody?.content["application/json"]?.schema as JsonSchema | undefined,
          media: media === "application/json" ? undefined : media,
          document: document as unknown as JsonSchema,
        });
      }
  return [...found.values()];
}
