import { settle } from "@openscan/runtime/testing";
import { expect, test } from "vitest";
import { Listeners } from "./listeners.js";

function listeners() {
  const errors: unknown[] = [];
  return { errors, all: new Listeners<number>((error) => errors.push(error)) };
}

test("one that throws or rejects is reported and stops nobody", async () => {
  const { all, errors } = listeners();
  const heard: number[] = [];
  all.add(() => {
    throw new Error("thrown");
  });
  all.add(() => Promise.reject(new Error("rejected")));
  all.add((event) => void heard.push(event));
  all.deliver(1);
  await settle();
  expect(heard).toEqual([1]);
  expect(errors.map(String)).toEqual(["Error: thrown", "Error: rejected"]);
});

test("one that is removed during a delivery is not called any more", () => {
  const { all } = listeners();
  const heard: string[] = [];
  all.add(() => {
    heard.push("first");
    undo();
  });
  const undo = all.add(() => void heard.push("second"));
  all.add(() => void heard.push("third"));
  all.deliver(1);
  expect(heard).toEqual(["first", "third"]);
});

test("the same function may listen twice, and is removed once", () => {
  const { all } = listeners();
  const heard: number[] = [];
  const listener = (event: number) => void heard.push(event);
  const undo = all.add(listener);
  all.add(listener);
  undo();
  undo();
  all.deliver(7);
  expect(heard).toEqual([7]);
});
