import { settle } from "@openscan/runtime/testing";
import { expect, test } from "vitest";
import { OrderedByKey } from "./ordered-by-key.js";

function deferred<T>() {
  let resolve!: (value: T) => void;
  const promise = new Promise<T>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

test("what need not wait is done at once; behind something that waits, it keeps its place", async () => {
  const done: string[] = [];
  const failures: unknown[] = [];
  const ordered = new OrderedByKey((error) => failures.push(error));
  ordered.run("a", () => done.push("a1"));
  expect(done).toEqual(["a1"]);
  const [first, second] = [deferred<number>(), deferred<number>()];
  ordered.wait("a", first.promise, (value) => done.push(`a2 ${value}`));
  ordered.wait("a", second.promise, (value) => done.push(`a3 ${value}`));
  ordered.run("a", () => done.push("a4"));
  ordered.run("b", () => done.push("b1"));
  expect(done).toEqual(["a1", "b1"]);
  second.resolve(20);
  await settle();
  expect(done).toEqual(["a1", "b1"]);
  const settled = ordered.settled().then(() => done.push("settled"));
  first.resolve(10);
  await settled;
  expect(done).toEqual(["a1", "b1", "a2 10", "a3 20", "a4", "settled"]);
  ordered.run("a", () => done.push("a5"));
  expect(done.at(-1)).toBe("a5");
  expect(failures).toEqual([]);
});

test("what fails is told, and what comes after it is done", async () => {
  const done: string[] = [];
  const failures: unknown[] = [];
  const ordered = new OrderedByKey((error) => failures.push((error as Error).message));
  ordered.wait("a", Promise.reject(new Error("no value")), () => done.push("a1"));
  ordered.wait("a", Promise.resolve(2), () => {
    throw new Error("no work");
  });
  ordered.run("a", () => done.push("a3"));
  await ordered.settled();
  expect([failures, done]).toEqual([["no value", "no work"], ["a3"]]);
});
