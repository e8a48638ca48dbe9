import fc from "fast-check";
import { expect, test } from "vitest";
import { concerns } from "./path-pattern.js";

test.each([
  ["motors.turntable.angle", "motors.turntable.angle"],
  ["motors.turntable", "motors.turntable.angle"],
  ["motors", "motors.turntable.settings.max_speed"],
  ["motors.*", "motors.turntable"],
  ["motors.*", "motors.turn.table 1.angle"],
  ["motors.*.angle", "motors.turn.table 1.angle"],
  ["*.busy", "cameras.a.b.busy"],
  ["*", "anything.at all"],
  ["lights.ri*", "lights.ring.is_on"],
  ["*.settings", "motors.rotor.settings.max_speed"],
  // wholes
  ["motors.turntable.angle", "motors.turntable"],
  ["motors.turntable.angle", "motors"],
  ["motors.*.angle", "motors.turntable"],
  ["motors.*.settings.max_speed", "motors.turn.table.settings"],
  ["motors.*", "motors"],
])("%s is concerned by %s", (pattern, path) => {
  expect(concerns(pattern, path)).toBe(true);
});

test.each([
  ["motors.turntable", "motors.turntable2"],
  ["motors.turntable", "motors.turn"],
  ["motors.turntable", "motor"],
  ["motors.turntable.angle", "motors.turntable.busy"],
  ["motors.*.angle", "motors.turntable.busy"],
  ["motors.*.angle", "lights.ring"],
  ["*.busy", "motors.rotor.angle"],
  ["lights.*.is_on", "lights.ring.settings"],
  ["Motors", "motors"],
  ["motors.rotor", ""],
])("%s is not concerned by %s", (pattern, path) => {
  expect(concerns(pattern, path)).toBe(false);
});

const name = fc.stringMatching(/^[ab]{1,3}$/);
const paths = fc.array(name, { minLength: 1, maxLength: 4 }).map((names) => names.join("."));
const patterns = fc
  .array(fc.oneof(name, fc.constant("*"), fc.stringMatching(/^[ab]?\*[ab*]?$/)), {
    minLength: 1,
    maxLength: 4,
  })
  .map((names) => names.join("."));
const regular = (text: string) => text.replaceAll(".", "\\.");

test("it says what a regular expression says", () => {
  fc.assert(
    fc.property(patterns, paths, (pattern, path) => {
      const below = new RegExp(`^${regular(pattern).replaceAll("*", ".*")}(\\..*)?$`).test(path);
      const wholes = pattern.split(".").map((_, count, all) => all.slice(0, count).join("."));
      const isWhole = wholes.slice(1).some((whole) => {
        const wide = regular(whole).replace(/\*+$/, "@").replaceAll("*", ".*").replace("@", "[^.]*");
        return new RegExp(`^${wide}$`).test(path);
      });
      expect(concerns(pattern, path)).toBe(below || isWhole);
    }),
    { numRuns: 5_000 },
  );
});

test("a pattern that would make a regular expression backtrack forever takes no time", () => {
  const path = `motors.${"a".repeat(60)}.angle`;
  expect(concerns(`${"*a".repeat(127)}b`, path)).toBe(false);
  expect(concerns("*".repeat(256), path)).toBe(true);
});
