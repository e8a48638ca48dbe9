import { expect, test } from "vitest";
import { systemClock, timestamp } from "./clock.js";
import { FakeClock } from "./testing.js";

test("a sleep ends when its time has come", async () => {
  const clock = new FakeClock();
  let ended = false;
  const sleep = clock.sleep(100).then(() => {
    ended = true;
  });
  await clock.advance(99);
  expect(ended).toBe(false);
  await clock.advance(1);
  expect(ended).toBe(true);
  await sleep;
  expect(clock.pending).toBe(0);
});

test.each([
  ["fake", new FakeClock()],
  ["system", systemClock],
] as const)(
  "an aborted sleep of the %s clock rejects with the signal's reason and leaves no timer",
  async (_, clock) => {
    const abort = new AbortController();
    const sleep = clock.sleep(60_000, abort.signal);
    abort.abort(new Error("stopped by the test"));
    await expect(sleep).rejects.toThrow("stopped by the test");
    await expect(clock.sleep(1, abort.signal)).rejects.toThrow("stopped by the test");
    if (clock instanceof FakeClock) expect(clock.pending).toBe(0);
  },
);

test("timers fire in the order of their due times, ties in the order of creation", async () => {
  const clock = new FakeClock();
  const fired: string[] = [];
  clock.after(20, () => fired.push("c"));
  clock.after(10, () => {
    fired.push("a");
    clock.after(5, () => fired.push("nested"));
  });
  clock.after(10, () => fired.push("b"));
  await clock.advance(30);
  expect(fired).toEqual(["a", "b", "nested", "c"]);
});

test("run moves time until a promise settles and says when it waits for something else", async () => {
  const clock = new FakeClock(0);
  await clock.run(clock.sleep(12_345));
  expect(clock.now()).toBe(12_345);
  await expect(clock.run(new Promise(() => {}))).rejects.toThrow("other than this clock");
});

test("a timer with a fraction leaves whole milliseconds of wall-clock time", async () => {
  const clock = new FakeClock(0);
  await clock.run(clock.sleep(0.75));
  expect(clock.now()).toBe(0);
  expect(clock.monotonic()).toBe(0.75);
});

test("a timestamp is UTC with Z", () => {
  expect(timestamp(new FakeClock(0))).toBe("1970-01-01T00:00:00.000Z");
});
