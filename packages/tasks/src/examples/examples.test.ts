import { systemClock } from "@openscan/runtime";
import { expect, test } from "vitest";
import { createManager } from "../../test/create-manager.js";
import { exclusiveDemo, failing, generator, helloWorldAsync, helloWorldBlocking } from "./index.js";

const types = [exclusiveDemo, failing, generator, helloWorldAsync, helloWorldBlocking];

test.each<[string, unknown[], number, object]>([
  ["hello_world_async_task", [], 500, { status: "completed", result: "Hello world after 5 steps!" }],
  ["hello_world_async_task", [2, 1], 2000, { status: "completed", result: "Hello world after 2 steps!" }],
  ["exclusive_demo_task", [], 1000, { status: "completed", result: { status: "completed", duration: 1 } }],
  [
    "exclusive_demo_task",
    [0.2],
    200,
    { status: "completed", result: { status: "completed", duration: 0.2 } },
  ],
  ["generator_task", [], 5000, { status: "completed", result: "Generator task finished after 10 steps." }],
  ["failing_task", ["no film"], 10, { status: "error", error: "no film" }],
])("%s %j ends after %d ms", async (type, args, ms, expected) => {
  const { manager, clock } = createManager({ types });
  await manager.create(type, args);
  expect(await clock.run(manager.ended("t1"))).toMatchObject(expected);
  expect(clock.monotonic()).toBe(ms);
});

test("generator_task reports its start and each step", async () => {
  const { manager, clock, told } = createManager({ types });
  await manager.create("generator_task", [], { total_steps: 2, interval: 1 });
  await clock.run(manager.ended("t1"));
  expect(told("t1").map((line) => line.split(" ", 2).join(" "))).toEqual([
    "pending 0/0",
    "running 0/0",
    "running 0/2",
    "running 1/2",
    "running 2/2",
    "completed 2/2",
  ]);
});

test("hello_world_async_task reports nothing and can be paused", async () => {
  const { manager, clock, told } = createManager({ types });
  await manager.create("hello_world_async_task");
  await clock.advance(250);
  manager.pause("t1");
  await clock.advance(1000);
  manager.resume("t1");
  await clock.run(manager.ended("t1"));
  expect(clock.monotonic()).toBe(1450);
  expect(told("t1")).toHaveLength(5);
});

test("hello_world_blocking_task blocks a thread, not the process", async () => {
  const { manager, told } = createManager({ types, clock: systemClock });
  const task = await manager.create("hello_world_blocking_task", [], { duration: 0.05 });
  expect(task).toMatchObject({ is_blocking: true, status: "running" });
  expect(await manager.ended("t1")).toMatchObject({ result: "Hello world from a worker thread!" });
  expect(told("t1")).toEqual(["pending 0/0", "running 0/0", "completed 0/0 (ended)"]);
});
