import { once } from "node:events";
import { FakeClock, settle } from "@openscan/runtime/testing";
import { systemClock, workerUrl } from "@openscan/runtime";
import { describe, expect, test } from "vitest";
import { createManager, scripted } from "../test/create-manager.js";
import { fakeThreads, type ThreadScript } from "../test/fake-thread.js";
import { defineWorkerTask, type TaskManager } from "./index.js";

describe("with a thread on the fake clock", () => {
  function createWorkers(script: Partial<ThreadScript> = {}) {
    const clock = new FakeClock();
    const threads = fakeThreads(clock);
    const worker = defineWorkerTask<ThreadScript>({
      type: "worker_task",
      script: new URL("file:///worker.js"),
      graceMs: 500,
      spawn: threads.spawn,
      input: () => ({ steps: 2, ms: 100, exitMs: 0, deaf: false, ...script }),
    });
    const types = [worker, scripted("exclusive_task", { concurrency: "exclusive" })];
    return { ...createManager({ types, clock }), clock, threads };
  }

  test("it reports and completes", async () => {
    const { manager, clock, told } = createWorkers();
    const task = await manager.create("worker_task");
    expect(task).toMatchObject({ is_blocking: true, is_exclusive: false });
    expect(await clock.run(manager.ended("t1"))).toMatchObject({ status: "completed", result: 2 });
    expect(told("t1")).toEqual([
      "pending 0/0",
      "running 0/0",
      "running 1/2 step 1",
      "running 2/2 step 2",
      "completed 2/2 step 2 (ended)",
    ]);
  });

  test("a pause holds the thread at its next progress", async () => {
    const { manager, clock, threads, statuses } = createWorkers();
    await manager.create("worker_task");
    manager.pause("t1");
    await clock.advance(10_000);
    expect([statuses()["t1"], threads.said]).toEqual(["paused", []]);
    manager.resume("t1");
    expect(await clock.run(manager.ended("t1"))).toMatchObject({ status: "completed" });
  });

  test("defect 4: the slot of a cancelled thread is free only when the thread has ended", async () => {
    const { manager, clock, threads, statuses } = createWorkers({ exitMs: 400 });
    await manager.create("worker_task");
    await manager.create("exclusive_task");
    manager.cancel("t1");
    await clock.advance(399);
    expect([statuses(), threads.alive()]).toEqual([{ t1: "cancelled", t2: "pending" }, 1]);
    expect(manager.get("t1")?.completed_at).toBeNull();
    await clock.advance(1);
    expect([statuses(), threads.alive()]).toEqual([{ t1: "cancelled", t2: "running" }, 0]);
    expect(threads.said).toEqual(["abort", "exit"]);
  });

  test("defect 4: a thread that does not react is terminated after the grace", async () => {
    const { manager, clock, threads, statuses, told } = createWorkers({ ms: 1e9, deaf: true });
    await manager.create("worker_task");
    await manager.create("exclusive_task");
    manager.cancel("t1");
    await clock.advance(500);
    expect([threads.said, statuses()["t2"]]).toEqual([["abort", "terminate"], "pending"]);
    await clock.advance(1);
    expect([threads.said, statuses()["t2"]]).toEqual([["abort", "terminate", "exit"], "running"]);
    expect(told("t1").slice(-2)).toEqual(["cancelled 0/0", "cancelled 0/0 (ended)"]);
  });

  test("a thread that lingers after its result is terminated; the result stands", async () => {
    const { manager, clock, threads } = createWorkers({ exitMs: 1e9 });
    await manager.create("worker_task");
    expect(await clock.run(manager.ended("t1"))).toMatchObject({ status: "completed", result: 2 });
    expect(threads.said).toEqual(["next", "next", "terminate", "exit"]);
    expect(clock.monotonic()).toBe(801);
  });

  test("nothing is left on the clock when it has ended", async () => {
    const { manager, clock } = createWorkers();
    await manager.create("worker_task");
    await clock.run(manager.ended("t1"));
    expect(clock.pending).toBe(0);
  });

  test("eight threads run at once", async () => {
    const { manager, statuses } = createWorkers();
    for (let i = 0; i < 9; i++) await manager.create("worker_task");
    expect(Object.values(statuses()).filter((status) => status === "running")).toHaveLength(8);
    await settle();
  });
});

/** Real threads: their scripts are given as text and import the built package. */
describe("with a real thread", () => {
  const serveTask = JSON.stringify(workerUrl(import.meta.url, "./worker.js").href);

  function createReal(body: string, graceMs = 10_000) {
    const source = `import { serveTask } from ${serveTask};\n${body}`;
    const types = [
      defineWorkerTask({
        type: "worker_task",
        script: new URL(`data:text/javascript,${encodeURIComponent(source)}`),
        graceMs,
        input: (_, kwargs) => kwargs,
      }),
    ];
    return createManager({ types, clock: systemClock });
  }

  test("it receives its input, reports in order and returns its result", async () => {
    const { manager, told } = createReal(`serveTask(async function* ({ total }) {
      for (let current = 1; current <= total; current++) yield { current, total, message: "" };
      return { from: "thread" };
    })`);
    await manager.create("worker_task", [], { total: 3 });
    expect(await manager.ended("t1")).toMatchObject({ status: "completed", result: { from: "thread" } });
    expect(told("t1").slice(1)).toEqual([
      "running 0/0",
      "running 1/3",
      "running 2/3",
      "running 3/3",
      "completed 3/3 (ended)",
    ]);
  });

  test.each([
    ["throws", `serveTask(async () => { throw new Error("no memory"); })`, /^no memory$/],
    [
      "throws outside of its body",
      `setTimeout(() => { throw new Error("stray"); }, 1); serveTask(() => new Promise(() => {}))`,
      /^stray$/,
    ],
    ["returns what cannot be sent", "serveTask(async () => () => 1)", /could not be cloned/],
    ["exits", "process.exit(7)", /ended without a result, code 7/],
    ["cannot be loaded", "import './missing.js'", /missing|Invalid|relative/],
  ])("one that %s fails its task", async (_, body, error) => {
    const { manager } = createReal(body);
    await manager.create("worker_task");
    expect(await manager.ended("t1")).toMatchObject({ status: "error", error: expect.stringMatching(error) });
  });

  test("a pause holds it, and a cancel runs its cleanup", async () => {
    const { manager, told, events } = createReal(`serveTask(async function* () {
      let current = 0;
      try {
        for (;;) yield { current: ++current, total: 0, message: "" };
      } finally {
        yield { current: 0, total: 0, message: "dropped" };
      }
    })`);
    const paused = new Promise<void>((resolve) => {
      manager.events.on((event) => {
        if (event.type !== "updated" || event.task.progress.current !== 5 || event.task.status !== "running")
          return;
        manager.pause("t1");
        resolve();
      });
    });
    await manager.create("worker_task");
    await paused;
    const count = events.length;
    manager.cancel("t1");
    await manager.ended("t1");
    expect(told("t1").slice(count)).toEqual([
      "cancelled 5/0 Task paused.",
      "cancelled 5/0 Task paused. (ended)",
    ]);
  });

  test("its signal is aborted, with a reason that tells a shutdown from a cancel", async () => {
    const { manager } = createReal(`serveTask(async function* (_, { signal }) {
      try {
        yield { current: 1, total: 0, message: "" };
        await new Promise((resolve) => signal.addEventListener("abort", resolve));
      } finally {
        const channel = new BroadcastChannel("reasons");
        channel.postMessage(signal.reason.name);
        channel.close();
      }
    })`);
    const channel = new BroadcastChannel("reasons");
    const nextReason = async () => {
      const [event] = (await once(channel, "message")) as [MessageEvent<unknown>];
      return event.data;
    };
    await manager.create("worker_task");
    await untilReported(manager, "t1");
    manager.cancel("t1");
    expect(await nextReason()).toBe("AbortError");
    await manager.create("worker_task");
    await untilReported(manager, "t2");
    const closed = manager.close();
    expect(await nextReason()).toBe("TaskInterrupted");
    await closed;
    channel.close();
    expect(manager.list().map(({ status }) => status)).toEqual(["cancelled", "interrupted"]);
  });

  test("defect 4: one that blocks is terminated, and then its slot is free", async () => {
    const { manager, told } = createReal(
      `serveTask(async function* () {
        yield { current: 1, total: 1, message: "" };
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
      })`,
      20,
    );
    await manager.create("worker_task");
    await untilReported(manager, "t1");
    manager.cancel("t1");
    expect(await manager.ended("t1")).toMatchObject({
      status: "cancelled",
      completed_at: expect.any(String),
    });
    expect(told("t1")).toHaveLength(5);
  });
});

function untilReported(manager: TaskManager, id: string): Promise<void> {
  return new Promise((resolve) => {
    const look = () => void (manager.get(id)?.progress.current === 1 && resolve());
    manager.events.on(look);
    look();
  });
}
