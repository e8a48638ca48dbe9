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

test("operation ids are unique, and so is each path with its method", () => {
  expect(endpoints.length).toBeGreaterThan(40);
  expect(new Set(endpoints.map(({ operationId }) => operationId)).size).toBe(endpoints.length);
  expect(new Set(endpoints.map(({ method, path }) => `${method} ${path}`)).size).toBe(endpoints.length);
});

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
