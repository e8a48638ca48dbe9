import { CameraSettings } from "@openscan/protocol";
import { recordingLogger } from "@openscan/runtime/testing";
import { afterEach, expect, test } from "vitest";
import { RenderThread } from "./render-thread.js";
import type { TwinView } from "./view.js";

/** A worker that answers with the number of jobs it has seen, and dies of some seeds. */
const script = new URL(
  `data:text/javascript,${encodeURIComponent(`
    import { parentPort } from "node:worker_threads";
    let seen = 0;
    parentPort.on("message", ({ id, view }) => {
      if (view.seed === 7) process.exit(7);
      if (view.seed === 8) throw new Error("broken lens");
      if (view.seed === 9) parentPort.postMessage({ id, problem: { code: "out_of_range", message: "too near" } });
      else parentPort.postMessage({ id, photo: { width: ++seen } });
    });
  `)}`,
);
const view = (seed: number): TwinView => ({
  theta: 0,
  fi: 0,
  radiusMm: 110,
  light: 1,
  width: 32,
  height: 32,
  seed,
  settings: CameraSettings.parse({}),
});

let opened: RenderThread | undefined;
const open = (limit = 8) => {
  const log = recordingLogger();
  opened = new RenderThread({ script, log, limit });
  return { thread: opened, log };
};
afterEach(() => opened?.close());

test("jobs are done in order, one worker for all", async () => {
  const { thread } = open();
  const photos = await Promise.all([1, 2, 3].map((seed) => thread.render(view(seed))));
  expect(photos.map(({ width }) => width)).toEqual([1, 2, 3]);
});

test("what the worker refuses keeps its code", async () => {
  const { thread } = open();
  await expect(thread.render(view(9))).rejects.toMatchObject({ code: "out_of_range", message: "too near" });
  expect(await thread.render(view(1))).toEqual({ width: 1 });
});

test.each([
  [7, "simulated camera: its worker died with code 7"],
  [8, "simulated camera: its worker died with code 1"],
])("a worker that dies of job %d is reported, and the next job starts another", async (seed, message) => {
  const { thread, log } = open();
  expect(await thread.render(view(1))).toEqual({ width: 1 });
  const waiting = [thread.render(view(seed)), thread.render(view(2))] as const;
  await expect(waiting[0]).rejects.toMatchObject({ code: "hardware_fault", message });
  expect(await waiting[1]).toEqual({ width: 1 });
  expect(log.lines).toMatchObject([{ level: "warn", message: "the simulated camera's worker died" }]);
});

test("a job that has not started is dropped when aborted", async () => {
  const { thread } = open();
  const abort = new AbortController();
  const first = thread.render(view(1));
  const second = thread.render(view(2), abort.signal);
  const third = thread.render(view(3));
  abort.abort(new Error("no longer wanted"));
  await expect(second).rejects.toThrow("no longer wanted");
  expect(await first).toEqual({ width: 1 });
  expect(await third).toEqual({ width: 2 });
});

test("the result of a running job is thrown away when aborted", async () => {
  const { thread } = open();
  const abort = new AbortController();
  const first = thread.render(view(1), abort.signal);
  abort.abort(new Error("no longer wanted"));
  await expect(first).rejects.toThrow("no longer wanted");
  expect(await thread.render(view(2))).toEqual({ width: 2 });
});

test("a signal that is aborted already starts nothing", async () => {
  const { thread } = open();
  await expect(thread.render(view(1), AbortSignal.abort(new Error("too late")))).rejects.toThrow("too late");
  expect(await thread.render(view(2))).toEqual({ width: 1 });
});

test("no more jobs wait than the limit", async () => {
  const { thread } = open(2);
  const accepted = [1, 2, 3].map((seed) => thread.render(view(seed)));
  await expect(thread.render(view(4))).rejects.toMatchObject({
    code: "busy",
    message: "simulated camera: 2 pictures are waiting already",
  });
  await Promise.all(accepted);
  expect(await thread.render(view(5))).toEqual({ width: 4 });
});

test("closing fails whoever waits, and everyone after", async () => {
  const { thread, log } = open();
  const waiting = [1, 2].map((seed) => thread.render(view(seed)));
  const failures = Promise.allSettled(waiting);
  await thread.close();
  for (const failure of await failures) {
    expect(failure).toMatchObject({ status: "rejected", reason: { code: "offline" } });
  }
  await expect(thread.render(view(3))).rejects.toMatchObject({ code: "offline" });
  await thread.close();
  expect(log.lines).toEqual([]);
});
