import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Task } from "@openscan/protocol";
import { workerUrl } from "@openscan/runtime";
import { recordingLogger } from "@openscan/runtime/testing";
import { afterEach, beforeEach, expect, test } from "vitest";
import { created } from "./task-machine.js";
import { FileTaskStore } from "./task-store.js";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "openscan-tasks-"));
});
afterEach(() => rm(folder, { recursive: true }));

const task = (id: string): Task =>
  created({
    id,
    name: "a_task",
    is_exclusive: true,
    is_blocking: false,
    created_at: "2026-01-01T00:00:00.000Z",
    run_args: [{ points: 3 }],
    run_kwargs: { start: 1 },
  });

function createStore(directory = folder) {
  const log = recordingLogger();
  return { log, store: new FileTaskStore({ directory, log }) };
}

test("what was saved is loaded", async () => {
  const { store } = createStore();
  await store.save(task("b"));
  await store.save(task("a"));
  await store.save({ ...task("a"), status: "error", error: "no camera" });
  expect(await store.load()).toEqual([{ ...task("a"), status: "error", error: "no camera" }, task("b")]);
});

test("a record is one file of indented JSON, named after its id", async () => {
  const { store } = createStore();
  await store.save(task("a"));
  expect(await readdir(folder)).toEqual(["a.json"]);
  expect(await readFile(join(folder, "a.json"), "utf8")).toContain('{\n  "id": "a",\n  "name": "a_task",');
});

test("arguments that were left out are loaded as none", async () => {
  const { store } = createStore();
  const { run_args: _args, run_kwargs: _kwargs, ...rest } = task("a");
  await store.save(rest);
  expect(await store.load()).toEqual([{ ...task("a"), run_args: [], run_kwargs: {} }]);
});

test("a record with a revision, which counts within one process, is loaded without it", async () => {
  const { store } = createStore();
  await writeFile(join(folder, "a.json"), JSON.stringify({ ...task("a"), revision: 7 }));
  expect(await store.load()).toEqual([task("a")]);
});

test("a removed record is gone; to remove it again is no error", async () => {
  const { store } = createStore();
  await store.save(task("a"));
  await store.remove("a");
  await store.remove("a");
  expect(await readdir(folder)).toEqual([]);
});

test("malformed files are logged, skipped and left in place", async () => {
  const { store, log } = createStore();
  await store.save(task("good"));
  await writeFile(join(folder, "half.json"), '{"id": "half"');
  await writeFile(join(folder, "other.json"), JSON.stringify({ id: "other", status: "flying" }));
  await writeFile(join(folder, "stranger.json"), JSON.stringify(task("good")));
  await writeFile(join(folder, "notes.txt"), "not a task");
  expect(await store.load()).toEqual([task("good")]);
  expect(log.lines.map(({ level, fields }) => [level, fields["file"]])).toEqual([
    ["warn", "half.json"],
    ["warn", "other.json"],
    ["warn", "stranger.json"],
  ]);
  expect(await readdir(folder)).toEqual([
    "good.json",
    "half.json",
    "notes.txt",
    "other.json",
    "stranger.json",
  ]);
});

test("a file of the older backend, with local times and no zone, is loaded", async () => {
  const { store } = createStore();
  const old = {
    id: "old",
    name: "scan_task",
    task_type: "scan_task",
    created_at: "2025-11-02T10:11:12.123456",
  };
  await writeFile(join(folder, "old.json"), JSON.stringify({ ...old, status: "cancelled" }));
  expect(await store.load()).toMatchObject([{ ...old, progress: { current: 0, total: 0, message: "" } }]);
});

test.each(["../secret", "..", "", "a/b", "a\\b", ".hidden", "a.json", "a\0", "x".repeat(129), "ä"])(
  "defect 38: the id %j never reaches the disk",
  async (id) => {
    const { store } = createStore(join(folder, "tasks"));
    await writeFile(join(folder, "secret.json"), "kept");
    await expect(store.save({ ...task("a"), id })).rejects.toMatchObject({ code: "invalid" });
    await store.remove(id);
    expect(await readdir(folder)).toEqual(["secret.json"]);
  },
);

test("defect 29: the directory is the given one and is made when it is missing", async () => {
  const directory = join(folder, "runtime", "tasks");
  const { store } = createStore(directory);
  const workingDirectory = await readdir(process.cwd());
  expect(await store.load()).toEqual([]);
  await store.save(task("a"));
  expect(await readdir(directory)).toEqual(["a.json"]);
  expect(await readdir(process.cwd())).toEqual(workingDirectory);
});

test("defect 28: a process killed while it writes leaves a whole record", { timeout: 60_000 }, async () => {
  const storeModule = new URL(workerUrl(import.meta.url, "./task-store.js")).href;
  const writer = `
    import { FileTaskStore } from ${JSON.stringify(storeModule)};
    const store = new FileTaskStore({ directory: ${JSON.stringify(folder)}, log: { warn() {} } });
    const task = ${JSON.stringify(task("a"))};
    for (let step = 0; ; step++) {
      await store.save({ ...task, progress: { current: step, total: 0, message: "x".repeat(100_000) } });
      if (step === Number(process.argv[1])) console.log("go");
    }`;
  for (let round = 0; round < 10; round++) {
    const child = spawn(process.execPath, ["--input-type=module", "-e", writer, String(round)], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const ended = once(child, "exit");
    const endedEarly = ended.then(([code]) => Promise.reject(new Error(`the writer ended early: ${code}`)));
    await Promise.race([once(child.stdout, "data"), endedEarly]);
    child.kill("SIGKILL");
    await ended;
    const written = Task.parse(JSON.parse(await readFile(join(folder, "a.json"), "utf8")));
    expect(written.progress.current).toBeGreaterThanOrEqual(round);
    expect(written.progress.message).toHaveLength(100_000);
  }
  const { store, log } = createStore();
  expect(await store.load()).toHaveLength(1);
  expect(await readdir(folder)).toEqual(["a.json"]);
  expect(log.lines).toEqual([]);
});
