import { expect, test } from "vitest";
import { Recent } from "./recent.js";

test("the value that was not used for longest goes first", () => {
  const recent = new Recent<string>(2, 100);
  recent.set("a", "A", 1);
  recent.set("b", "B", 1);
  expect(recent.get("a")).toBe("A");
  recent.set("c", "C", 1);
  expect([recent.get("a"), recent.get("b"), recent.get("c")]).toEqual(["A", undefined, "C"]);
});

test("heavy values push out others, but the newest always stays", () => {
  const recent = new Recent<string>(8, 10);
  recent.set("a", "A", 6);
  recent.set("b", "B", 6);
  expect([recent.get("a"), recent.get("b")]).toEqual([undefined, "B"]);
  recent.set("c", "C", 99);
  expect([recent.get("b"), recent.get("c")]).toEqual([undefined, "C"]);
  recent.set("d", "D", 1);
  expect([recent.get("c"), recent.get("d")]).toEqual([undefined, "D"]);
});

test("a value set again replaces the old one and its weight", () => {
  const recent = new Recent<string>(8, 10);
  recent.set("a", "A", 9);
  recent.set("a", "AA", 2);
  recent.set("b", "B", 8);
  expect([recent.get("a"), recent.get("b")]).toEqual(["AA", "B"]);
});
