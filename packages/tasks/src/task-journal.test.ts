import type { Task } from "@openscan/protocol";
import { FakeClock, recordingLogger, settle } from "@openscan/runtime/testing";
import { expect, test } from "vitest";
import { TaskJournal } from "./task-journal.js";
import { created, reported, started } from "./task-machine.js";
import type { TaskStore } from "./task-store.js";

/** A store whose calls end when the test says so. */
function createJournal() {
  const calls: { what: string; end: (error?: Error) => void }[] = [];
  const call = (what: string) =>
    new Promise<void>((resolve, reject) => {
      calls.push({ what, end: (error) => (error ? reject(error) : resolve()) });
    });
  const store: TaskStore = {
    load: async () => [],
    save: ({ id, status, progress }) => call(`save ${id} ${status} ${progress.current}`),
    remove: (id) => call(`remove ${id}`),
  };
  const clock = new FakeClock();
  const log = recordingLogger();
  const journal = new TaskJournal({ store, clock, log, intervalMs: 2000 });
  const end = async (index: number, error?: Error) => {
    calls[index]?.end(error);
    await settle();
  };
  return { journal, clock, log, end, said: () => calls.map(({ what }) => what) };
}

const task = (id: string): Task =>
  created({
    id,
    name: "a_task",
    is_exclusive: false,
    is_blocking: false,
    created_at: "",
    run_args: [],
    run_kwargs: {},
  });
const at = (current: number, total = 100) =>
  reported(started(task("a"), ""), { current, total, message: "" });

test("the writes of one task follow each other, and the latest record wins", async () => {
  const { journal, end, said } = createJournal();
  const first = journal.write(task("a"));
  await settle();
  const second = journal.write(at(1));
  const third = journal.write(at(2));
  await settle();
  expect(said()).toEqual(["save a pending 0"]);
  await end(0);
  await first;
  expect(said()).toEqual(["save a pending 0", "save a running 2"]);
  await end(1);
  await Promise.all([second, third]);
  expect(said()).toHaveLength(2);
});

test("the writes of two tasks do not wait for each other", async () => {
  const { journal, said } = createJournal();
  void journal.write(task("a"));
  void journal.write(task("b"));
  await settle();
  expect(said()).toEqual(["save a pending 0", "save b pending 0"]);
});

test("a failed write is logged, its promise resolves and the next write is tried", async () => {
  const { journal, end, said, log } = createJournal();
  const write = journal.write(task("a"));
  await settle();
  await end(0, new Error("ENOSPC"));
  await write;
  expect(log.lines).toMatchObject([{ level: "error", fields: { task: "a", err: { message: "ENOSPC" } } }]);
  void journal.write(at(1));
  await settle();
  expect(said()).toEqual(["save a pending 0", "save a running 1"]);
});

test("progress is written as far as it is due, counted from the last write of any kind", async () => {
  const { journal, clock, end, said } = createJournal();
  void journal.write(at(0));
  await settle();
  await end(0);
  journal.writeProgress(at(4));
  await clock.advance(1999);
  journal.writeProgress(at(4));
  await settle();
  expect(said()).toHaveLength(1);
  await clock.advance(1);
  journal.writeProgress(at(4));
  await settle();
  expect(said()).toEqual(["save a running 0", "save a running 4"]);
});

test("a removal waits for the write under way and drops the one that has not begun", async () => {
  const { journal, end, said } = createJournal();
  void journal.write(task("a"));
  await settle();
  const dropped = journal.write(at(1));
  const removal = journal.remove("a");
  await settle();
  expect(said()).toEqual(["save a pending 0"]);
  await end(0);
  await dropped;
  expect(said()).toEqual(["save a pending 0", "remove a"]);
  await end(1);
  await removal;
});

test("what is written after a removal is stored after it", async () => {
  const { journal, end, said } = createJournal();
  void journal.write(task("a"));
  const removal = journal.remove("a");
  const again = journal.write(at(1));
  for (let call = 0; call < 2; call++) {
    await settle();
    await end(call);
  }
  await Promise.all([removal, again]);
  expect(said()).toEqual(["remove a", "save a running 1"]);
  void journal.write(at(2));
  await settle();
  expect(said().at(-1)).toBe("save a running 2");
});

test("a failed removal rejects and holds up nothing", async () => {
  const { journal, end } = createJournal();
  const removal = journal.remove("a");
  const flushed = journal.flush();
  await settle();
  const failure = expect(removal).rejects.toThrow("EACCES");
  await end(0, new Error("EACCES"));
  await failure;
  await flushed;
});

test("a flush waits for every write", async () => {
  const { journal, end } = createJournal();
  void journal.write(task("a"));
  void journal.write(task("b"));
  let flushed = false;
  const flush = journal.flush().then(() => {
    flushed = true;
  });
  await settle();
  await end(1);
  expect(flushed).toBe(false);
  await end(0);
  await flush;
  expect(flushed).toBe(true);
});
