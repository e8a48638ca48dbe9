import { expect, test } from "vitest";
import { frozenJson } from "./frozen-json.js";

test("a copy is equal, independent and frozen to its depths", () => {
  const value = { list: [1, "a", null, { deep: true }], none: null };
  const copy = frozenJson(value) as typeof value;
  expect(copy).toEqual(value);
  value.list.push(2);
  expect(copy.list).toHaveLength(4);
  expect([copy, copy.list, copy.list[3]].every(Object.isFrozen)).toBe(true);
});

test("what JSON cannot express is treated as JSON.stringify does", () => {
  const value = { gone: undefined, list: [undefined, Number.NaN], infinite: Number.POSITIVE_INFINITY };
  expect(frozenJson(value)).toStrictEqual(JSON.parse(JSON.stringify(value)));
});

test("a member named __proto__ stays a member", () => {
  const copy = frozenJson(JSON.parse('{"__proto__":{"admin":true}}')) as Record<string, unknown>;
  expect(JSON.stringify(copy)).toBe('{"__proto__":{"admin":true}}');
  expect(copy["admin"]).toBeUndefined();
});

const cyclic: Record<string, unknown> = {};
cyclic["self"] = cyclic;
test.each<[string, unknown, string]>([
  ["a function", { f: () => 1 }, "$.f is not JSON"],
  ["a date", [new Date(0)], "$[0] is not JSON"],
  ["a map", { a: { b: new Map() } }, "$.a.b is not JSON"],
  ["bytes", new Uint8Array(1), "$ is not JSON"],
  ["a big integer", 1n, "$ is not JSON"],
  ["undefined", undefined, "$ is not JSON"],
  ["a cycle", cyclic, "nested deeper than 100 levels"],
])("%s is refused", (_, value, message) => {
  expect(() => frozenJson(value)).toThrow(message);
});
