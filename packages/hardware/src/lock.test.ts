import { settle } from "@openscan/runtime/testing";
import { expect, test } from "vitest";
import { Lock } from "./lock.js";

/** Work that ends when told to. */
function work(log: string[], name: string) {
  let finish = () => {};
  const run = () =>
    new Promise<void>((resolve) => {
      log.push(name);
      finish = resolve;
    });
  return { run, finish: () => finish() };
}

test("one at a time, in the order of asking", async () => {
  const lock = new Lock("thing");
  const log: string[] = [];
  const [first, second] = [work(log, "first"), work(log, "second")];
  const all = [lock.run(first.run), lock.run(second.run), lock.run(async () => void log.push("third"))];
  await settle();
  expect(log).toEqual(["first"]);
  first.finish();
  await settle();
  expect(log).toEqual(["first", "second"]);
  second.finish();
  await Promise.all(all);
  expect(log).toEqual(["first", "second", "third"]);
});

test("work that fails lets the next one in", async () => {
  const lock = new Lock("thing");
  await expect(lock.run(() => Promise.reject(new Error("broken")))).rejects.toThrow("broken");
  expect(await lock.run(async () => 7)).toBe(7);
});

test("waiting ends when aborted, and the place in the queue is given up", async () => {
  const lock = new Lock("thing", 1);
  const log: string[] = [];
  const first = work(log, "first");
  const held = lock.run(first.run);
  const abort = new AbortController();
  const waiting = lock.run(async () => void log.push("never"), abort.signal);
  await expect(lock.run(async () => {})).rejects.toMatchObject({
    code: "busy",
    message: "thing is busy and 1 requests wait already",
  });
  abort.abort(new Error("gave up"));
  await expect(waiting).rejects.toThrow("gave up");
  const next = lock.run(async () => void log.push("next"));
  first.finish();
  await Promise.all([held, next]);
  expect(log).toEqual(["first", "next"]);
  await expect(lock.run(async () => {}, abort.signal)).rejects.toThrow("gave up");
});

test("closing is never refused, and comes after all that wait", async () => {
  const lock = new Lock("thing", 1);
  const log: string[] = [];
  const first = work(log, "first");
  const all = [lock.run(first.run), lock.run(async () => void log.push("second"))];
  const closed = lock.runAtLast(async () => void log.push("closed"));
  await settle();
  first.finish();
  await Promise.all([...all, closed]);
  expect(log).toEqual(["first", "second", "closed"]);
});
