import { expect, test } from "vitest";
import * as protocol from "./index.js";

const endpoints = Object.values(protocol).flatMap((value) => {
  const found =
    value !== null && typeof value === "object" && "get" in value && "update" in value
      ? Object.values(value)
      : [value];
  return found.filter(
    (item): item is protocol.Endpoint => item !== null && typeof item === "object" && "operationId" in item,
  );
});

test.each(protocol.apiVersions)(
  "operation ids of %s are unique, and so is each path with its method",
  (version) => {
    const offered = endpoints.filter(({ versions }) => versions.includes(version));
    expect(offered.length).toBeGreaterThan(40);
    expect(new Set(offered.map(({ operationId }) => operationId)).size).toBe(offered.length);
    expect(new Set(offered.map(({ method, path }) => `${method} ${path}`)).size).toBe(offered.length);
  },
);

test("every parameter of a path is in its schema", () => {
  for (const { path, params, operationId } of endpoints) {
    const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
    const schema = params as unknown as { shape: Record<string, unknown> };
    expect(Object.keys(schema.shape), operationId).toEqual(named);
  }
});

test("the public names", () => {
  expect(Object.keys(protocol).sort()).toMatchSnapshot();
});
