import { LightSettings, MotorSettings, ScanError, TriggerSettings } from "@openscan/protocol";
import { settle } from "@openscan/runtime/testing";
import { describe, expect, test } from "vitest";
import type { z } from "zod";
import { rotorSettings } from "../test/support.js";
import { Lock } from "./lock.js";
import { Settings } from "./settings.js";

interface Parts<T> {
  readonly schema: z.ZodType<T>;
  readonly initial: T;
  readonly apply?: (values: T) => Promise<void>;
}

function settingsOf<T extends object>({ schema, initial, apply = async () => {} }: Parts<T>) {
  const log: string[] = [];
  const settings: Settings<T> = new Settings<T>({
    owner: `motor "rotor"`,
    schema,
    initial,
    lock: new Lock("rotor"),
    assertOpen: () => {},
    apply: async (values) => {
      log.push("apply");
      await apply(values);
    },
    fault: (error) => error,
    changed: () =>
      log.push(`changed ${JSON.stringify(settings.get()) === JSON.stringify(initial) ? "back" : "on"}`),
  });
  return { settings, log };
}
const motor = (apply?: (values: MotorSettings) => Promise<void>) =>
  settingsOf({ schema: MotorSettings, initial: rotorSettings, ...(apply && { apply }) });

describe("a patch", () => {
  test("changes what it names, and is applied before it is stored and announced", async () => {
    const seen: number[] = [];
    const { settings, log } = motor(async () => void seen.push(settings.get().max_speed));
    expect(await settings.update({ max_speed: 100 })).toEqual({ ...rotorSettings, max_speed: 100 });
    expect(seen).toEqual([5000]);
    expect(log).toEqual(["apply", "changed on"]);
  });

  test.each([
    ["no effect and no event when empty", {}, []],
    ["nulls keep values, but apply them again", { max_speed: null }, ["apply", "changed back"]],
    ["unknown keys count as a change", { colour: "red" }, ["apply", "changed back"]],
  ])("%s", async (_, patch, expected) => {
    const { settings, log } = motor();
    expect(await settings.update(patch)).toEqual(rotorSettings);
    expect(log).toEqual(expected);
  });

  test.each([
    [{ max_speed: 9000 }, /motor "rotor": max_speed 9000: /],
    [{ max_speed: "fast" }, /max_speed "fast": /],
    [{ min_angle: 200 }, /min_angle 200: min_angle must not be greater than max_angle/],
    [{ acceleration: 1, direction: 3 }, /acceleration 1: .*; direction 3: /],
  ])("%j is refused, naming field and value", async (patch, message) => {
    const { settings, log } = motor();
    await expect(settings.update(patch)).rejects.toMatchObject({
      code: "invalid",
      message: expect.stringMatching(message) as string,
    });
    expect([settings.get(), log]).toEqual([rotorSettings, []]);
  });
});

test("replacing takes the defaults for what is missing, and requires what has none", async () => {
  const { settings } = motor();
  const { direction_pin, enable_pin, step_pin } = rotorSettings;
  const values = await settings.replace({ direction_pin, enable_pin, step_pin, steps_per_rotation: 100 });
  expect(values).toMatchObject({ max_speed: 5000, max_angle: 360, steps_per_rotation: 100 });
  await expect(settings.replace({})).rejects.toMatchObject({ code: "invalid" });
  await expect(settings.replace(null)).rejects.toMatchObject({
    message: expect.stringContaining("settings null") as string,
  });
});

describe("hardware that refuses", () => {
  test("D18: keeps the old values, which are applied again, and announces nothing", async () => {
    const applied: number[] = [];
    const { settings, log } = motor(async ({ max_speed }) => {
      applied.push(max_speed);
      if (max_speed === 100) throw new Error("pin 5 is taken");
    });
    await expect(settings.update({ max_speed: 100 })).rejects.toMatchObject({
      code: "invalid",
      message: `motor "rotor" does not accept these settings: pin 5 is taken`,
    });
    expect(applied).toEqual([100, 5000]);
    expect([settings.get(), log]).toEqual([rotorSettings, ["apply", "apply"]]);
  });

  test("may say so in its own words", async () => {
    const refusal = new ScanError("unsupported", "no such pin");
    const { settings } = motor(async ({ max_speed }) => {
      if (max_speed === 100) throw refusal;
    });
    await expect(settings.update({ max_speed: 100 })).rejects.toBe(refusal);
  });

  test("and does not take the old values back either is reported with both reasons", async () => {
    const { settings } = motor(() => Promise.reject(new ScanError("hardware_fault", "dead")));
    await expect(settings.update({ max_speed: 100 })).rejects.toMatchObject({
      code: "hardware_fault",
      message: expect.stringContaining("could not be restored either: dead") as string,
    });
    expect(settings.get()).toEqual(rotorSettings);
  });
});

test("updates come one after another, each on top of the one before", async () => {
  const finish: Array<() => void> = [];
  const { settings } = motor(() => new Promise((resolve) => finish.push(resolve)));
  const both = [settings.update({ max_speed: 100 }), settings.update({ max_angle: 20, home_angle: 10 })];
  await settle();
  expect(finish).toHaveLength(1);
  finish[0]?.();
  await settle();
  finish[1]?.();
  await Promise.all(both);
  expect(settings.get()).toMatchObject({ max_speed: 100, max_angle: 20, home_angle: 10 });
});

test("what was handed out or in cannot change the settings", async () => {
  const initial = LightSettings.parse({ pins: [1, 2] });
  const { settings } = settingsOf({ schema: LightSettings, initial });
  initial.pins?.push(3);
  expect(settings.get().pins).toEqual([1, 2]);
  expect(() => settings.get().pins?.push(4)).toThrow(TypeError);
});

test("a light's pins can be replaced, its pin is one of them", async () => {
  const { settings } = settingsOf({
    schema: LightSettings,
    initial: LightSettings.parse({ pins: [17, 27] }),
  });
  expect(await settings.update({ pins: [5] })).toMatchObject({ pin: null, pins: [5] });
  expect(await settings.update({ pin: 6 })).toMatchObject({ pin: null, pins: [5, 6] });
  await expect(settings.update({ pins: 5 })).rejects.toMatchObject({ code: "invalid" });
});

test("a trigger's polarity is its active level", async () => {
  const { settings } = settingsOf({ schema: TriggerSettings, initial: TriggerSettings.parse({ pin: 10 }) });
  expect(await settings.update({ polarity: "active_low" })).toMatchObject({ active_level: "active_low" });
  await expect(settings.update({ polarity: "sideways" })).rejects.toMatchObject({ code: "invalid" });
});
