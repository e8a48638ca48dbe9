import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Device } from "@openscan/hardware";
import { FakeClock, recordingLogger } from "@openscan/runtime/testing";
import { TaskManager } from "@openscan/tasks";
import { helloWorldAsync } from "@openscan/tasks/examples";
import { MemoryTaskStore } from "@openscan/tasks/testing";
import { expect, onTestFinished, test } from "vitest";
import { addCommunityTasks } from "./community-tasks.js";
import { temporaryFolder } from "./testing.js";

/** A module with a task that returns a word. */
const module = (type: string, word: string) => `export default ({ defineTask }) => defineTask({
  type: "${type}", concurrency: "concurrent", input: () => undefined, run: async () => "${word}" });`;

async function load(files: Record<string, string>, { replace = false, clock = new FakeClock() } = {}) {
  const directory = await temporaryFolder();
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(directory, name)), { recursive: true });
    await writeFile(join(directory, name), text);
  }
  const log = recordingLogger();
  let ids = 0;
  const tasks = new TaskManager({
    types: [helloWorldAsync],
    store: new MemoryTaskStore(),
    clock,
    log,
    newId: () => `t${++ids}`,
  });
  onTestFinished(() => tasks.close());
  const moves: number[] = [];
  const device = {
    motor: () => ({ moveBy: async (degrees: number) => void moves.push(degrees) }),
  } as unknown as Device;
  const loading = addCommunityTasks(directory, { tasks, replace, device, clock, log });
  /** What a task says at its end; nothing when there is no such type. */
  const run = async (type: string, kwargs: Record<string, unknown> = {}) => {
    const task = await tasks.create(type, [], kwargs).catch(() => undefined);
    return task && (await clock.run(tasks.ended(task.id))).result;
  };
  const warned = () =>
    log.lines
      .filter(({ level }) => level === "warn")
      .map(({ fields }) => `${String(fields["file"]).slice(directory.length + 1)}: ${String(fields["err"])}`);
  return { loading, run, warned, moves, clock };
}

test("the types of all modules are added, in subfolders, too", async () => {
  const { loading, run, warned } = await load({
    "one.mjs": module("one_task", "one"),
    "more/two.mjs": module("two_task", "two"),
    "later.mjs": `await null; ${module("later_task", "later")}`,
    "notes.txt": "no module",
  });
  await loading;
  expect([await run("one_task"), await run("two_task"), await run("later_task")]).toEqual([
    "one",
    "two",
    "later",
  ]);
  expect(warned()).toEqual([]);
});

test("what is no task is left out without a word", async () => {
  const names = ["_part.mjs", ".hidden.mjs", "node_modules/x/index.mjs", "examples/demo.mjs", "a.test.mjs"];
  const { loading, run, warned } = await load({
    ...Object.fromEntries(names.map((name) => [name, "throw new Error('loaded')"])),
    "off.mjs": `export const discover = false; ${module("off_task", "off")}`,
  });
  await loading;
  expect(await run("off_task")).toBeUndefined();
  expect(warned()).toEqual([]);
});

test("a module that fails is warned of, and the others are added", async () => {
  const { loading, run, warned } = await load({
    "1-syntax.mjs": "export default (",
    "2-throws.mjs": "throw new Error('no luck')",
    "3-none.mjs": "export const task = 1",
    "4-other.mjs": "export default () => ({ type: 'x_task' })",
    "5-name.mjs": module("Bad-Name", "bad"),
    "6-rejects.mjs": "export default async () => { throw new Error('later') }",
    "7-imports.mjs": "import '@openscan/nothing'; export default () => {}",
    "8-good.mjs": module("good_task", "good"),
  });
  await loading;
  expect(await run("good_task")).toBe("good");
  expect(warned()).toEqual([
    expect.stringMatching(/^1-syntax\.mjs: /),
    "2-throws.mjs: Error: no luck",
    "3-none.mjs: ScanError: the module does not export a function as its default",
    "4-other.mjs: ScanError: the module's function does not return what defineTask made",
    expect.stringMatching(/^5-name\.mjs: ScanError: task type "Bad-Name" does not match/),
    "6-rejects.mjs: Error: later",
    expect.stringMatching(/^7-imports\.mjs: /),
  ]);
});

test("a module that is never done is given up", async () => {
  const { loading, run, warned, clock } = await load({
    "a.mjs": `export default () => new Promise(() => {});`,
    "b.mjs": module("b_task", "b"),
  });
  await expect.poll(() => clock.pending).toBe(1);
  await clock.advance(10_000);
  await loading;
  expect(await run("b_task")).toBe("b");
  expect(warned()).toEqual(["a.mjs: ScanError: it was not loaded within 10 s"]);
});

test("of two types of one name the first counts, unless overriding is wanted", async () => {
  const files = {
    "a.mjs": module("same_task", "first"),
    "b.mjs": module("same_task", "last"),
    "c.mjs": module("hello_world_async_task", "mine"),
  };
  const first = await load(files);
  await first.loading;
  expect(await first.run("same_task")).toBe("first");
  expect(await first.run("hello_world_async_task")).toBe("Hello world after 5 steps!");
  expect(first.warned()).toEqual([
    'b.mjs: ScanError: there is a task type "same_task" already',
    'c.mjs: ScanError: there is a task type "hello_world_async_task" already',
  ]);
  const last = await load(files, { replace: true });
  await last.loading;
  expect(await last.run("same_task")).toBe("last");
  expect(await last.run("hello_world_async_task")).toBe("mine");
  expect(last.warned()).toEqual([]);
});

test("the module of docs/writing-a-task.md works", async () => {
  const page = await readFile(
    fileURLToPath(new URL("../../../../docs/writing-a-task.md", import.meta.url)),
    "utf8",
  );
  const code = /```js\n(.*?)```/s.exec(page)?.[1] ?? "";
  const { loading, run, warned, moves } = await load({ "turn-round.mjs": code });
  await loading;
  expect(warned()).toEqual([]);
  expect(await run("turn_round_task", { steps: 3 })).toEqual({ steps: 3 });
  expect(moves).toEqual([120, 120, 120]);
  expect(await run("turn_round_task", { steps: 0 })).toBeUndefined();
});

test("without a folder there are none", async () => {
  const log = recordingLogger();
  const options = {
    tasks: { register: () => {} },
    replace: false,
    device: {} as Device,
    clock: new FakeClock(),
    log,
  };
  await addCommunityTasks("/nonexistent/tasks", options);
  expect(log.lines.map(({ message }) => message)).toEqual(["there are no community tasks"]);
});
