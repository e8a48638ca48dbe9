import { FakeClock, settle } from "@openscan/runtime/testing";
import { expect, test } from "vitest";
import { abortedBy, endsWithin, unlessAborted } from "./waiting.js";

const never = new Promise<never>(() => {});

test("unlessAborted is the promise, or the reason of the abort", async () => {
  expect(await unlessAborted(Promise.resolve(1), undefined)).toBe(1);
  const abort = new AbortController();
  expect(await unlessAborted(Promise.resolve(2), abort.signal)).toBe(2);
  const waiting = unlessAborted(never, abort.signal);
  abort.abort(new Error("enough"));
  await expect(waiting).rejects.toThrow("enough");
  await expect(unlessAborted(never, abort.signal)).rejects.toThrow("enough");
});

test("a promise that fails after the abort is not an unhandled rejection", async () => {
  let fail: (error: Error) => void = () => {};
  const late = new Promise((_, reject) => {
    fail = reject;
  });
  await expect(unlessAborted(late, AbortSignal.abort(new Error("enough")))).rejects.toThrow("enough");
  fail(new Error("late"));
  await settle();
});

test("endsWithin tells whether the promise ended in time, well or not, and leaves no timer", async () => {
  const clock = new FakeClock();
  expect(await endsWithin(Promise.resolve(), { clock, ms: 10 })).toBe(true);
  expect(await endsWithin(Promise.reject(new Error("x")), { clock, ms: 10 })).toBe(true);
  expect(clock.pending).toBe(0);
  expect(await clock.run(endsWithin(never, { clock, ms: 10 }))).toBe(false);
  const abort = new AbortController();
  const waiting = endsWithin(never, { clock, ms: 10, signal: abort.signal });
  abort.abort(new Error("enough"));
  await expect(waiting).rejects.toThrow("enough");
  expect(clock.pending).toBe(0);
});

test("a linked abort follows any of its sources, until unlinked", () => {
  const [first, second] = [new AbortController(), new AbortController()];
  const linked = abortedBy(undefined, first.signal, second.signal);
  const unlinked = abortedBy(first.signal, second.signal);
  unlinked.unlink();
  expect(linked.signal.aborted).toBe(false);
  second.abort("second");
  first.abort("first");
  expect(linked.signal.reason).toBe("second");
  expect(unlinked.signal.aborted).toBe(false);
  expect(abortedBy(first.signal).signal.reason).toBe("first");
});
