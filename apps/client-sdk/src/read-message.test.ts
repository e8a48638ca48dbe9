import { namespaces } from "@openscan/protocol";
import { expect, test } from "vitest";
import { running } from "../test/support/fixtures.js";
import { readMessage } from "./read-message.js";
import { tasksFeed } from "./tasks-feed.js";

const read = (data: unknown) => readMessage(data, tasksFeed, undefined);
const readStrictly = (data: unknown) => readMessage(data, tasksFeed, namespaces.tasks.event);
const event = { type: "task.update", task: running("a", 1) };

test("an event and a ping are read", () => {
  expect(read(JSON.stringify(event))).toEqual(event);
  expect(read('{"type":"ping"}')).toEqual({ type: "ping" });
});

test("types that the client does not know are ignored, also when messages are checked", () => {
  expect(read('{"type":"task.deleted","id":"a"}')).toBeUndefined();
  expect(readStrictly('{"type":"task.deleted","id":"a"}')).toBeUndefined();
});

test.each([
  ["not JSON", "{"],
  ["a number", "1"],
  ["null", "null"],
  ["no type", "{}"],
  ["a type that is no text", '{"type":1}'],
  ["an update without a task", '{"type":"task.update"}'],
  ["a task without an id", '{"type":"task.update","task":{}}'],
  ["binary", new Uint8Array([1])],
])("%s is reported as invalid", (_name, data) => {
  expect(read(data)).toMatchObject({ type: "invalid" });
});

test("without a schema an incomplete task passes, with one it is invalid and says why", () => {
  const incomplete = JSON.stringify({ type: "task.update", task: { id: "a" } });
  expect(read(incomplete)).toMatchObject({ type: "task.update" });
  const notice = readStrictly(incomplete);
  expect(notice).toMatchObject({ type: "invalid", message: { task: { id: "a" } } });
  expect(String((notice as { reason: Error }).reason)).toContain("created_at");
});

test("with a schema a good event passes unchanged", () => {
  expect(readStrictly(JSON.stringify(event))).toEqual(event);
});
