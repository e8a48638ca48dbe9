import type { TaskProgress } from "@openscan/protocol";
import { expect, test } from "vitest";
import { progressDue } from "./progress-due.js";

const progress = (current: number, total = 100, message = ""): TaskProgress => ({ current, total, message });

test("vector: interval 10 s, total 100; 0, 1, 5, 6 within 0.3 s and 7 at 11 s write 0, 5 and 7", () => {
  const reports: [number, number][] = [
    [0, 0],
    [0.1, 1],
    [0.2, 5],
    [0.3, 6],
    [11, 7],
  ];
  const writes: number[] = [];
  let last: { progress: TaskProgress; at: number } | undefined;
  for (const [at, current] of reports) {
    const before = last && { progress: last.progress, ageMs: (at - last.at) * 1000 };
    if (!progressDue(progress(current), before, 10_000)) continue;
    last = { progress: progress(current), at };
    writes.push(current);
  }
  expect(writes).toEqual([0, 5, 7]);
});

test.each<[string, TaskProgress, TaskProgress, number, boolean]>([
  ["nothing changed", progress(10), progress(10), 0, false],
  ["only the message changed", progress(10), progress(10, 100, "x"), 0, false],
  ["the interval has not passed", progress(10), progress(10), 1999, false],
  ["the interval has passed", progress(10), progress(10), 2000, true],
  ["it went back", progress(10), progress(9.5), 0, true],
  ["the total changed", progress(10), progress(10, 101), 0, true],
  ["it grew by less than 5 %", progress(10), progress(14.9), 0, false],
  ["it grew by 5 %", progress(10), progress(15), 0, true],
  ["it grew by less than 1 of few", progress(1, 4), progress(1.9, 4), 0, false],
  ["it grew by 1 of few", progress(1, 4), progress(2, 4), 0, true],
  ["it reached the end", progress(99), progress(100), 0, true],
  ["it cannot be measured and is the same", progress(3, 0, "a"), progress(3, 0, "a"), 0, false],
  ["it cannot be measured and grew", progress(3, 0, "a"), progress(3.1, 0, "a"), 0, true],
  ["it cannot be measured and says something else", progress(3, 0, "a"), progress(3, 0, "b"), 0, true],
])("%s: %j -> %j after %d ms is due: %s", (_, before, now, ageMs, expected) => {
  expect(progressDue(now, { progress: before, ageMs }, 2000)).toBe(expected);
});
