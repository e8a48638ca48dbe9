import { setImmediate as turn } from "node:timers/promises";
import { systemClock } from "@openscan/runtime";
import { FakeClock } from "@openscan/runtime/testing";
import { expect, test } from "vitest";
import { inSlices } from "./in-slices.js";

/** Work of so many bits, each of which takes its time. */
function* bits(count: number, bit: () => void): Generator<void, string, void> {
  for (let done = 0; done < count; done++) {
    bit();
    yield;
  }
  return "done";
}

/** How long the event loop was kept from its turn, at the most, until the promise settled. */
async function longestWait(promise: Promise<unknown>): Promise<number> {
  let over = false;
  const end = promise.finally(() => {
    over = true;
  });
  let longest = 0;
  for (let last = performance.now(); !over; ) {
    await turn();
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
  }
  await end;
  return longest;
}

test("defect 15: others have their turn between the slices", async () => {
  const clock = new FakeClock();
  let time = 0;
  clock.monotonic = () => time;
  const turns: number[] = [];
  let over = false;
  const work = inSlices(
    bits(100, () => time++),
    { clock },
  ).finally(() => {
    over = true;
  });
  while (!over) {
    turns.push(time);
    await turn();
  }
  expect(await work).toBe("done");
  const slices = turns.slice(1).map((at, index) => at - (turns[index] ?? 0));
  expect(Math.max(...slices)).toBeLessThanOrEqual(5);
  expect(turns.length).toBeGreaterThan(15);
});

test("work that takes long leaves the event loop its turns", async () => {
  const busy = () => {
    for (const start = performance.now(); performance.now() - start < 1; );
  };
  // 150 ms of work; what else this machine does adds to a turn, but hardly as much as all of the work.
  expect(await longestWait(inSlices(bits(150, busy), { clock: systemClock }))).toBeLessThan(100);
});

test("an abort ends it", async () => {
  const clock = new FakeClock();
  clock.monotonic = () => performance.now() * 1e6;
  const stop = new AbortController();
  let count = 0;
  const work = inSlices(
    bits(1e9, () => count++),
    { clock, signal: stop.signal },
  );
  await turn();
  stop.abort(new Error("enough"));
  await expect(work).rejects.toThrow("enough");
  expect(count).toBeGreaterThan(0);
});
