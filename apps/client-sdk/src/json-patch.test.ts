import { jsonDelta } from "@openscan/protocol";
import fc from "fast-check";
import { expect, test } from "vitest";
import { patched } from "./json-patch.js";

test("members are set and removed at any depth; everything else keeps its identity", () => {
  const base = { a: { x: 1, y: { z: 1 } }, b: { c: 1 }, d: 1 };
  const next = patched(base, { "/a/x": 2, "/e": [1] }, ["/d"]);
  expect(next).toEqual({ a: { x: 2, y: { z: 1 } }, b: { c: 1 }, e: [1] });
  expect(next?.b).toBe(base.b);
  expect(next?.a.y).toBe(base.a.y);
  expect(base).toEqual({ a: { x: 1, y: { z: 1 } }, b: { c: 1 }, d: 1 });
});

test("names may hold dots, spaces, slashes, tildes, nothing at all, and __proto__", () => {
  const base = JSON.parse('{"a.b c":{"/":1,"~1":1,"":1},"__proto__":{"x":1}}') as object;
  const next = patched(base, { "/a.b c/~1": 2, "/a.b c/~01": 3, "/a.b c/": 4, "/__proto__/x": 5 }, []);
  expect(JSON.stringify(next)).toBe('{"a.b c":{"/":2,"~1":3,"":4},"__proto__":{"x":5}}');
  expect(Object.getPrototypeOf(next)).toBe(Object.prototype);
  expect(JSON.stringify(patched(next as object, {}, ["/__proto__"]))).toBe('{"a.b c":{"/":2,"~1":3,"":4}}');
  expect(({} as { x?: number }).x).toBeUndefined();
});

test.each([
  ["a parent that is not there", { "/x/y": 1 }, []],
  ["a parent that is no object", { "/s/y": 1 }, []],
  ["a list, which is only replaced whole", { "/l/0": 1 }, []],
  ["what every object inherits", { "/__proto__/y": 1 }, []],
  ["a removed member that was not there", {}, ["/x"]],
  ["the whole", { "": 1 }, []],
])("a pointer to %s fits nothing", (_, set, unset: string[]) => {
  expect(patched({ s: "text", l: [0], n: null }, set as Record<string, unknown>, unset)).toBeUndefined();
});

test("it undoes what jsonDelta of the protocol makes, for any two objects", () => {
  const key = fc.oneof(fc.constantFrom("a", "b", "a/b", "~", "", "__proto__", "x.y z"), fc.string());
  const { value } = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { depthSize: "small" },
      fc.constantFrom(null, true, 0, 1, "t", []),
      fc.array(tie("value"), { maxLength: 2 }),
      fc.dictionary(key, tie("value"), { maxKeys: 4, noNullPrototype: true }),
    ),
  }));
  const object = fc.dictionary(key, value, { maxKeys: 4, noNullPrototype: true });
  const asSent = (json: unknown) => JSON.parse(JSON.stringify(json)) as Record<string, unknown>;
  fc.assert(
    fc.property(object, object, (before, after) => {
      const [base, next] = [asSent(before), asSent(after)];
      const { set, unset } = asSent(jsonDelta(base, next)) as unknown as ReturnType<typeof jsonDelta>;
      expect(patched(base, set, unset)).toEqual(next);
    }),
    { numRuns: 500 },
  );
});
