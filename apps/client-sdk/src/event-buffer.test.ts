import { expect, test } from "vitest";
import { EventBuffer } from "./event-buffer.js";

interface Item {
  readonly n: number;
}
const items = (...numbers: number[]): Item[] => numbers.map((n) => ({ n }));

function buffer(limit = 3, compact: (waiting: readonly Item[]) => Item[] = (waiting) => [...waiting]) {
  const ends: string[] = [];
  return { ends, queue: new EventBuffer<Item>({ limit, compact, onEnd: () => ends.push("end") }) };
}

async function readAll(queue: EventBuffer<Item>): Promise<number[]> {
  const read: number[] = [];
  for await (const { n } of queue) read.push(n);
  return read;
}

test("items come out in order, those that wait first", async () => {
  const { queue } = buffer();
  for (const item of items(1, 2)) queue.push(item);
  const reading = readAll(queue);
  await Promise.resolve();
  queue.push({ n: 3 });
  queue.end();
  expect(await reading).toEqual([1, 2, 3]);
});

test("nothing is merged up to the limit", async () => {
  const { queue } = buffer(3, () => items(99));
  for (const item of items(1, 2, 3)) queue.push(item);
  queue.end();
  expect(await readAll(queue)).toEqual([1, 2, 3]);
});

test("beyond the limit the items are merged", async () => {
  const { queue } = buffer(3, (waiting) => waiting.slice(-2));
  for (const item of items(1, 2, 3, 4, 5)) queue.push(item);
  queue.end();
  expect(await readAll(queue)).toEqual([3, 4, 5]);
});

test("when merging does not help, the reader gets what waited and then an error", async () => {
  const { queue, ends } = buffer(3);
  for (const item of items(1, 2, 3, 4, 5)) queue.push(item);
  expect(ends).toEqual(["end"]);
  const read: number[] = [];
  await expect(
    (async () => {
      for await (const { n } of queue) read.push(n);
    })(),
  ).rejects.toThrow("fell behind by more than 3 events");
  expect(read).toEqual([1, 2, 3, 4]);
});

test("an error reaches one waiting reader; the others and the next see the end", async () => {
  const { queue } = buffer();
  const waiting = [queue.next(), queue.next()];
  queue.end(new Error("gone"));
  await expect(waiting[0]).rejects.toThrow("gone");
  expect(await waiting[1]).toEqual({ value: undefined, done: true });
  expect(await queue.next()).toEqual({ value: undefined, done: true });
});

test("an error waits for a reader that comes later, once", async () => {
  const { queue } = buffer();
  queue.end(new Error("gone"));
  await expect(queue.next()).rejects.toThrow("gone");
  expect(await queue.next()).toEqual({ value: undefined, done: true });
});

test("breaking out of a loop ends it, even while another reader waits", async () => {
  const { queue, ends } = buffer();
  const waiting = queue.next();
  await queue.return();
  expect(await waiting).toEqual({ value: undefined, done: true });
  queue.push({ n: 1 });
  expect(await queue.next()).toEqual({ value: undefined, done: true });
  queue.end(new Error("late"));
  expect(await queue.next()).toEqual({ value: undefined, done: true });
  expect(ends).toEqual(["end"]);
});
