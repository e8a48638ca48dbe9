import { TriggerSettings } from "@openscan/protocol";
import { FakeClock, settle } from "@openscan/runtime/testing";
import { describe, expect, test } from "vitest";
import { fault } from "../fault.js";
import type { TriggerDriver } from "./driver.js";
import { Trigger } from "./trigger.js";

function create(settings: Partial<TriggerSettings> = {}, driver: Partial<TriggerDriver> = {}) {
  const clock = new FakeClock(Date.UTC(2026, 0, 1));
  const log: string[] = [];
  const note = (what: string) => void log.push(`${clock.monotonic()} ${what}`);
  const trigger = new Trigger({
    name: "external",
    settings: TriggerSettings.parse({ pin: 10, ...settings }),
    clock,
    fault: (cause) => fault("trigger external", cause),
    changed: (part) => note(part === "busy" ? `busy ${trigger.status().busy}` : (part ?? "recorded")),
    driver: {
      configure: async ({ pin }) => note(`pin ${pin}`),
      write: async (high) => note(high ? "high" : "low"),
      close: async () => note("closed"),
      ...driver,
    },
  });
  return { clock, trigger, log };
}

test.each([
  ["active_high", "low"],
  ["active_low", "high"],
] as const)("reset, an %s line is %s, after a pulse that is under way", async (active_level, level) => {
  const { clock, trigger, log } = create({ active_level });
  await trigger.reset();
  expect(log).toEqual([`0 ${level}`]);
  const pulse = trigger.fire();
  const reset = trigger.reset();
  await clock.run(Promise.all([pulse, reset]));
  expect(log.at(-1)).toBe(`100 ${level}`);
  await trigger.close();
  await expect(trigger.reset()).rejects.toMatchObject({ code: "offline" });
});

test("a pulse: delay, active, inactive, delay; recorded before it is over", async () => {
  const { clock, trigger, log } = create();
  const execution = await clock.run(trigger.fire({ pre_trigger_delay_ms: 50, post_trigger_delay_ms: 30 }));
  expect(log).toEqual(["0 busy true", "50 high", "150 low", "180 recorded", "180 busy false"]);
  expect(execution).toEqual({
    name: "external",
    triggered_at: "2026-01-01T00:00:00.050Z",
    completed_at: "2026-01-01T00:00:00.180Z",
    duration_ms: 130,
  });
  expect(trigger.status()).toMatchObject({
    busy: false,
    last_triggered_at: execution.triggered_at,
    last_completed_at: execution.completed_at,
    last_duration_ms: 130,
  });
});

test("before the first pulse nothing is recorded", () => {
  expect(create().trigger.status()).toMatchObject({
    last_triggered_at: null,
    last_completed_at: null,
    last_duration_ms: null,
  });
});

test("active low is the other way round, and as long as configured", async () => {
  const { clock, trigger, log } = create({ active_level: "active_low", pulse_width_ms: 7 });
  await clock.run(trigger.fire());
  expect(log.slice(1, 3)).toEqual(["0 low", "7 high"]);
});

test("disabled it is a conflict", async () => {
  const { trigger, log } = create({ enabled: false });
  await expect(trigger.fire()).rejects.toMatchObject({
    code: "conflict",
    message: "trigger external is disabled",
  });
  expect(log).toEqual([]);
});

test("during a pulse it is busy", async () => {
  const { clock, trigger } = create();
  const pulse = trigger.fire();
  await expect(trigger.fire()).rejects.toMatchObject({ code: "busy" });
  await clock.run(pulse);
  await clock.run(trigger.fire());
});

describe("a pulse that does not succeed", () => {
  test("cancelled in the middle leaves the line inactive and records nothing", async () => {
    const { clock, trigger, log } = create();
    const abort = new AbortController();
    const cancelled = expect(trigger.fire({}, abort.signal)).rejects.toMatchObject({ code: "cancelled" });
    await clock.advance(40);
    abort.abort();
    await cancelled;
    expect(log).toEqual(["0 busy true", "0 high", "40 low", "40 busy false"]);
    expect(trigger.status().last_triggered_at).toBeNull();
    await expect(trigger.fire({}, abort.signal)).rejects.toMatchObject({ code: "cancelled" });
  });

  test("of a broken line is a hardware fault", async () => {
    const { clock, trigger, log } = create({}, { write: () => Promise.reject(new Error("gone")) });
    await expect(clock.run(trigger.fire())).rejects.toMatchObject({
      code: "hardware_fault",
      message: "trigger external: gone",
    });
    expect(log).toEqual(["0 busy true", "0 busy false"]);
  });
});

test("settings wait for the pulse, then the line rests at their inactive level", async () => {
  const { clock, trigger, log } = create();
  const pulse = trigger.fire();
  await settle();
  const update = trigger.settings.update({ polarity: "active_low", pin: 5 });
  await clock.run(pulse);
  expect(await update).toMatchObject({ active_level: "active_low", pin: 5 });
  expect(log.slice(1, 3)).toEqual(["0 high", "100 low"]);
  const after = log.slice(3).filter((line) => !line.includes("busy") && !line.includes("recorded"));
  expect(after).toEqual(["100 pin 5", "100 high", "100 settings"]);
});

test("closing ends a pulse, leaves the line inactive, and everything is offline", async () => {
  const { clock, trigger, log } = create();
  const pulse = expect(trigger.fire()).rejects.toMatchObject({ code: "cancelled" });
  await clock.advance(10);
  await trigger.close();
  await trigger.close();
  await pulse;
  expect(log.filter((line) => /low|closed/.test(line))).toEqual(["10 low", "10 low", "10 closed"]);
  await expect(trigger.fire()).rejects.toMatchObject({ code: "offline" });
  await expect(trigger.settings.update({ pin: 1 })).rejects.toMatchObject({ code: "offline" });
});
