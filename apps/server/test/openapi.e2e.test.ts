import type { OpenApiDocument } from "@openscan/protocol/openapi";
import { expect, test } from "vitest";
import { startServer } from "./support/in-process.js";

/**
 * What clients were generated from must not change by accident: a change of these files is one of the API. Their
 * structure is that of the existing backend's documents.
 */
test.each(["v0.8", "v0.9", "next"])(
  "the operations and schemas of %s are those of its golden file",
  async (mount) => {
    const { api } = await startServer();
    const { body } = await api.call<OpenApiDocument>("GET", `/${mount}/openapi.json`);
    const operations = Object.entries(body.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, { operationId, parameters, requestBody, responses }]) => {
        const [success] = Object.entries(responses);
        const told = { operationId, parameters, requestBody, success };
        return `${method.toUpperCase()} ${path} ${JSON.stringify(told)}`;
      }),
    );
    const schemas = Object.entries(body.components.schemas).map(
      ([name, schema]) => `${name} ${JSON.stringify(schema)}`,
    );
    const lines = [...operations.sort(), "", ...schemas.sort(), ""];
    await expect(lines.join("\n")).toMatchFileSnapshot(`golden/openapi-${mount}.txt`);
  },
);
