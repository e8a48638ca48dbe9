import { FakeClock } from "@openscan/runtime/testing";
import { expect, test, vi } from "vitest";
import { IdleTimer } from "./idle-timer.js";

function create() {
  const clock = new FakeClock();
  const expired = vi.fn();
  return { clock, expired, timer: new IdleTimer(clock, expired) };
}

test("expires once after its time", async () => {
  const { clock, expired, timer } = create();
  timer.start(10);
  await clock.advance(9999);
  expect(expired).not.toHaveBeenCalled();
  await clock.advance(1);
  await clock.advance(60_000);
  expect(expired).toHaveBeenCalledOnce();
});

test("0 s means never, and a year is not an overflow", async () => {
  const { clock, expired, timer } = create();
  timer.start(0);
  timer.restart();
  expect(clock.pending).toBe(0);
  timer.start(365 * 24 * 3600);
  await clock.advance(2 ** 31 - 2);
  expect(expired).not.toHaveBeenCalled();
});

test("a restart begins anew", async () => {
  const { clock, expired, timer } = create();
  timer.start(10);
  await clock.advance(9000);
  timer.restart();
  await clock.advance(9000);
  expect(expired).not.toHaveBeenCalled();
  await clock.advance(1000);
  expect(expired).toHaveBeenCalledOnce();
});

test("stands still until everyone who paused it has resumed, once each", async () => {
  const { clock, expired, timer } = create();
  timer.start(10);
  const [first, second] = [timer.pause(), timer.pause()];
  first();
  first();
  timer.restart();
  await clock.advance(60_000);
  expect(expired).not.toHaveBeenCalled();
  second();
  await clock.advance(9999);
  expect(expired).not.toHaveBeenCalled();
  await clock.advance(1);
  expect(expired).toHaveBeenCalledOnce();
});

test("stopped, nothing sets it off", async () => {
  const { clock, expired, timer } = create();
  timer.start(10);
  const resume = timer.pause();
  timer.stop();
  resume();
  timer.restart();
  await clock.advance(60_000);
  expect(expired).not.toHaveBeenCalled();
});
