import { FakeClock, settle } from "@openscan/runtime/testing";
import { expect, test } from "vitest";
import { PreviewLoop } from "./preview-loop.js";

/** Numbered frames that take no time, unless the test holds them up. */
function create({ takesMs = 0 }: { takesMs?: number } = {}) {
  const clock = new FakeClock();
  const state = { captures: 0, busy: false, failure: undefined as Error | undefined };
  const capture = async () => {
    if (state.busy) return undefined;
    const frame = ++state.captures;
    if (takesMs > 0) await clock.sleep(takesMs);
    if (state.failure) throw state.failure;
    return new Uint8Array([frame]);
  };
  const loop = new PreviewLoop({ clock, capture });
  const watch = (fps: number) => {
    const abort = new AbortController();
    const viewer = {
      frames: [] as number[],
      times: [] as number[],
      isReady: true,
      leave: () => abort.abort(),
    };
    const ended = loop.watch({
      fps,
      signal: abort.signal,
      isReady: () => viewer.isReady,
      show: ([frame = 0]) => {
        viewer.frames.push(frame);
        viewer.times.push(Math.round(clock.monotonic()));
      },
    });
    ended.catch(() => {});
    return { viewer, ended };
  };
  return { clock, state, loop, watch };
}

test("the first frame comes at once, the others at the viewer's pace, and nothing runs when it has left", async () => {
  const { clock, state, watch } = create();
  const { viewer, ended } = watch(10);
  await settle();
  expect(viewer.times).toEqual([0]);
  await clock.advance(300);
  expect(viewer.times).toEqual([0, 100, 200, 300]);
  viewer.leave();
  await ended;
  await settle();
  expect(clock.pending).toBe(0);
  await clock.advance(1000);
  expect(state.captures).toBe(4);
});

test("a pause of 1/fps follows each frame, however long that took", async () => {
  const { clock, watch } = create({ takesMs: 60 });
  const { viewer } = watch(10);
  await clock.advance(500);
  expect(viewer.times).toEqual([60, 220, 380]);
});

test("all viewers share the frames, each at its own rate; the camera is asked as often as the fastest wants", async () => {
  const { clock, state, watch } = create();
  const fast = watch(50).viewer;
  await clock.advance(7);
  const second = watch(50).viewer;
  const slow = watch(10).viewer;
  await clock.advance(1000);
  expect(state.captures).toBeGreaterThanOrEqual(50);
  expect(state.captures).toBeLessThanOrEqual(53);
  for (const { frames } of [fast, second]) {
    expect(frames.length).toBeGreaterThanOrEqual(49);
    expect(frames.length).toBeLessThanOrEqual(53);
    expect(frames, "no frame twice, but for the one to begin with").toEqual(
      [...frames].sort((a, b) => a - b),
    );
  }
  expect(slow.frames.length).toBeGreaterThanOrEqual(10);
  expect(slow.frames.length).toBeLessThanOrEqual(12);
  expect(fast.frames, "but for the two it began with").toEqual(expect.arrayContaining(slow.frames.slice(2)));
});

test("who cannot read gets no frame and no queue; when nobody can, none is taken", async () => {
  const { clock, state, watch } = create();
  const reader = watch(10).viewer;
  const stalled = watch(10).viewer;
  await settle();
  stalled.isReady = false;
  await clock.advance(500);
  expect(stalled.frames).toEqual([1]);
  expect(reader.frames).toEqual([1, 2, 3, 4, 5, 6]);
  reader.isReady = false;
  await clock.advance(1000);
  expect(state.captures).toBe(6);
  stalled.isReady = true;
  await clock.advance(100);
  expect(stalled.frames, "the newest, not those in between").toEqual([1, 7]);
});

test("while something else has the camera moments are skipped; who joins sees the last frame at once", async () => {
  const { clock, state, watch } = create();
  const { viewer } = watch(10);
  await settle();
  state.busy = true;
  await clock.advance(500);
  expect(viewer.frames).toEqual([1]);
  const late = watch(10).viewer;
  expect(late.frames).toEqual([1]);
  await settle();
  state.busy = false;
  await clock.advance(100);
  expect(viewer.frames).toEqual([1, 2]);
  expect(late.frames).toEqual([1, 2]);
});

test("who joins a slow stream need not wait for its next frame", async () => {
  const { clock, watch } = create();
  watch(1);
  await clock.advance(100);
  const { viewer } = watch(1);
  await settle();
  expect(viewer.times).toEqual([100, 100]);
  expect(viewer.frames, "what is there, then a fresh one").toEqual([1, 2]);
});

test("who comes while a frame is taken gets that one", async () => {
  const { clock, state, watch } = create({ takesMs: 50 });
  watch(10);
  await clock.advance(20);
  const { viewer } = watch(10);
  await clock.advance(30);
  expect(viewer.frames).toEqual([1]);
  expect(state.captures).toBe(1);
});

test("a failure ends the stream of everybody; the next viewer starts a new one", async () => {
  const { clock, state, watch } = create();
  const both = [watch(10), watch(20)];
  await settle();
  state.failure = new Error("no frame");
  await clock.advance(100);
  for (const { ended } of both) await expect(ended).rejects.toThrow("no frame");
  state.failure = undefined;
  const { viewer } = watch(10);
  await settle();
  expect(viewer.frames).toHaveLength(1);
  viewer.leave();
  await settle();
  expect(clock.pending).toBe(0);
});

test("the end comes to a sleeping stream too", async () => {
  const { clock, loop, watch } = create();
  const { ended } = watch(1);
  await clock.advance(10);
  loop.end(new Error("closed"));
  await expect(ended).rejects.toThrow("closed");
  await settle();
  expect(clock.pending).toBe(0);
});

test("who has left before the start is not shown anything", async () => {
  const { state, loop } = create();
  const show = () => expect.unreachable();
  await loop.watch({ fps: 10, signal: AbortSignal.abort(), isReady: () => true, show });
  expect(state.captures).toBe(0);
});
