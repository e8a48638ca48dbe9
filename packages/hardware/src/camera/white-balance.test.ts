import { FakeClock } from "@openscan/runtime/testing";
import { describe, expect, test } from "vitest";
import { settledWhiteBalance, type WhiteBalance } from "./white-balance.js";

const search = { warmupFrames: 3, stableFrames: 2, eps: 0.01, timeoutMs: 2000 };

/** Frames of 100 ms each; the last one is repeated. */
function watch(gains: readonly (WhiteBalance | undefined)[], changes: Partial<typeof search> = {}) {
  const clock = new FakeClock();
  let taken = 0;
  const nextFrame = async () => {
    await clock.advance(100);
    return gains[Math.min(taken++, gains.length - 1)];
  };
  const signal = new AbortController().signal;
  const found = settledWhiteBalance(nextFrame, { ...search, ...changes }, { clock, signal });
  return found.then((balance) => ({ balance, taken }));
}
const at = (red: number, blue = 1.5): WhiteBalance => ({ red, blue });

test("it is over when the gains rest for so many frames after the warm-up", async () => {
  expect(await watch([at(2)])).toEqual({ balance: at(2), taken: 5 });
  expect(await watch([at(2)], { warmupFrames: 0 })).toEqual({ balance: at(2), taken: 3 });
  const approaching = [1, 1.5, 1.75, 1.9, 1.99, 1.995, 1.999].map((red) => at(red));
  expect(await watch(approaching)).toEqual({ balance: at(1.999), taken: 7 });
});

test("either gain keeps it going, and one jump begins anew", async () => {
  expect((await watch([at(2, 1), at(2, 1.1), at(2, 1.2), at(2, 1.3), at(2, 1.4), at(2, 1.4)])).taken).toBe(7);
  expect((await watch([at(2), at(2), at(2), at(2), at(3), at(3), at(3)])).taken).toBe(7);
});

describe("when the time is over", () => {
  test("the last gains are taken", async () => {
    const restless = Array.from({ length: 40 }, (_, index) => at(1 + (index % 2)));
    expect(await watch(restless)).toEqual({ balance: at(2), taken: 20 });
  });
  test("there are none in the dark", async () => {
    expect(await watch([undefined])).toEqual({ balance: undefined, taken: 20 });
  });
});

test("a dark frame interrupts the rest", async () => {
  expect((await watch([at(2), at(2), at(2), at(2), undefined, at(2), at(2)])).taken).toBe(7);
});

test("who gives up is heeded between two frames", async () => {
  const clock = new FakeClock();
  const abort = new AbortController();
  let taken = 0;
  const nextFrame = async () => {
    if (++taken === 3) abort.abort(new Error("enough"));
    return undefined;
  };
  await expect(settledWhiteBalance(nextFrame, search, { clock, signal: abort.signal })).rejects.toThrow(
    "enough",
  );
  expect(taken).toBe(3);
});
