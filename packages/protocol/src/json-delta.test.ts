import fc from "fast-check";
import { expect, test } from "vitest";
import { type JsonDelta, jsonDelta } from "./json-delta.js";

type Members = Record<string, unknown>;

/** RFC 6901, written anew so that the delta is read by something that does not share its code. */
function apply(base: object, { set, unset }: JsonDelta): object {
  const root = structuredClone(base) as Members;
  const parentOf = (pointer: string): [Members, string] => {
    const keys = pointer
      .split("/")
      .slice(1)
      .map((key) => key.replaceAll("~1", "/").replaceAll("~0", "~"));
    const last = keys.pop() ?? "";
    return [keys.reduce((parent, key) => parent[key] as Members, root), last];
  };
  for (const pointer of unset) {
    const [parent, key] = parentOf(pointer);
    expect(Object.hasOwn(parent, key)).toBe(true);
    delete parent[key];
  }
  for (const [pointer, value] of Object.entries(set)) {
    const [parent, key] = parentOf(pointer);
    Object.defineProperty(parent, key, { value, writable: true, enumerable: true, configurable: true });
  }
  return root;
}

const key = fc.constantFrom("a", "b", "motors.x y", "a/b", "~", "~1", "");
const { tree } = fc.letrec<{ tree: Members }>((tie) => ({
  tree: fc.dictionary(
    key,
    fc.oneof(
      { depthSize: "small" },
      fc.integer(),
      fc.string(),
      fc.constant(null),
      fc.array(fc.integer()),
      tie("tree"),
    ),
    { noNullPrototype: true },
  ) as fc.Arbitrary<Members>,
}));

test("a delta turns any object into any other", () => {
  fc.assert(
    fc.property(tree, tree, (base, next) => {
      expect(apply(base, jsonDelta(base, next))).toEqual(next);
    }),
    { numRuns: 1000 },
  );
});

test("nothing is said of what stayed equal", () => {
  fc.assert(
    fc.property(tree, (value) => {
      expect(jsonDelta(value, structuredClone(value))).toEqual({ set: {}, unset: [] });
    }),
  );
});

test("names with slashes and tildes are escaped, lists are replaced whole", () => {
  expect(jsonDelta({ "a/b": { "~": [1, 2] }, gone: 1 }, { "a/b": { "~": [1] } })).toEqual({
    set: { "/a~1b/~0": [1] },
    unset: ["/gone"],
  });
});
