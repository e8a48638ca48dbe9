import { expect, test } from "vitest";
import { Emitter } from "./emitter.js";
import { recordingLogger } from "./testing.js";

test("a throwing listener is logged and stops nobody", () => {
  const log = recordingLogger();
  const emitter = new Emitter<number>(log);
  const seen: number[] = [];
  emitter.on(() => {
    throw new Error("broken listener");
  });
  emitter.on((n) => seen.push(n));
  emitter.emit(7);
  expect(seen).toEqual([7]);
  expect(log.lines).toMatchObject([{ level: "error", fields: { err: { message: "broken listener" } } }]);
});

test("on returns its undo, per subscription", () => {
  const emitter = new Emitter<string>(recordingLogger());
  const seen: string[] = [];
  const listener = (text: string) => seen.push(text);
  const undo = emitter.on(listener);
  emitter.on(listener);
  undo();
  undo();
  emitter.emit("once");
  expect(seen).toEqual(["once"]);
});

test("a listener that unsubscribes during an event does not disturb the others", () => {
  const emitter = new Emitter<null>(recordingLogger());
  const seen: string[] = [];
  const undo = emitter.on(() => {
    seen.push("first");
    undo();
  });
  emitter.on(() => seen.push("second"));
  emitter.emit(null);
  emitter.emit(null);
  expect(seen).toEqual(["first", "second", "second"]);
});
