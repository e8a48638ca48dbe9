import { expect, test } from "vitest";
import { type Concurrency, Lane, mayStart } from "./lane.js";

const limits = { concurrent: 3, worker: 2 };

test.each<[Concurrency, Concurrency[], boolean]>([
  ["exclusive", [], true],
  ["exclusive", ["concurrent"], false],
  ["exclusive", ["worker"], false],
  ["exclusive", ["exclusive"], false],
  ["concurrent", [], true],
  ["concurrent", ["exclusive"], false],
  ["concurrent", ["concurrent", "concurrent"], true],
  ["concurrent", ["concurrent", "worker", "concurrent", "worker"], true],
  ["concurrent", ["concurrent", "concurrent", "concurrent"], false],
  ["worker", [], true],
  ["worker", ["exclusive"], false],
  ["worker", ["concurrent", "concurrent", "concurrent", "worker"], true],
  ["worker", ["worker", "worker"], false],
])("%s beside %j may start: %s", (candidate, running, expected) => {
  expect(mayStart(candidate, running, limits)).toBe(expected);
});

function laneOf(...kinds: Concurrency[]) {
  const lane = new Lane<{ concurrency: Concurrency }>(limits);
  const members = kinds.map((concurrency) => ({ concurrency }));
  for (const member of members) lane.join(member);
  return { lane, members };
}

test("a head that may not start holds up those behind it", () => {
  const { lane, members } = laneOf("concurrent", "exclusive", "worker");
  expect(lane.startNext()).toBe(members[0]);
  expect(lane.startNext()).toBeUndefined();
  lane.leave(members[0]!);
  expect(lane.startNext()).toBe(members[1]);
  expect(lane.startNext()).toBeUndefined();
  expect(lane.waiting).toEqual([members[2]]);
});

test("a waiting member that leaves lets the next become the head", () => {
  const { lane, members } = laneOf("concurrent", "exclusive", "worker");
  lane.startNext();
  lane.leave(members[1]!);
  expect(lane.startNext()).toBe(members[2]);
  expect([...lane.running]).toEqual([members[0], members[2]]);
});

test("to leave twice, or without having joined, changes nothing", () => {
  const { lane, members } = laneOf("concurrent", "worker");
  lane.leave({ concurrency: "worker" });
  lane.startNext();
  lane.leave(members[0]!);
  lane.leave(members[0]!);
  expect(lane.waiting).toEqual([members[1]]);
  expect(lane.running.size).toBe(0);
});
