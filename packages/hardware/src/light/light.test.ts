import { LightSettings } from "@openscan/protocol";
import { settle } from "@openscan/runtime/testing";
import { describe, expect, test } from "vitest";
import { fault } from "../fault.js";
import type { LightDriver } from "./driver.js";
import { Light } from "./light.js";

function create(driver: Partial<LightDriver> = {}, settings: object = {}) {
  const log: string[] = [];
  const light = new Light({
    name: "Ring light",
    settings: LightSettings.parse({ pins: [17, 27], ...settings }),
    wake: async () => void log.push("wake"),
    fault: (cause) => fault("light Ring light", cause),
    changed: (part) => log.push(part),
    driver: {
      configure: async ({ pins }) => void log.push(`pins ${pins?.join()}`),
      write: async (on) => void log.push(`write ${on}`),
      close: async () => void log.push("close"),
      ...driver,
    },
  });
  return { light, log };
}

test("D17: turning on wakes the device first; turning off does not", async () => {
  const { light, log } = create();
  expect(await light.turnOn()).toMatchObject({ name: "Ring light", is_on: true });
  expect(await light.turnOff()).toMatchObject({ is_on: false });
  expect(log).toEqual(["wake", "write true", "is_on", "write false", "is_on"]);
});

test("what changes nothing is announced too", async () => {
  const { light, log } = create();
  await light.turnOff();
  expect(log).toEqual(["write false", "is_on"]);
});

test("toggling", async () => {
  const { light } = create();
  expect([(await light.toggle()).is_on, (await light.toggle()).is_on]).toEqual([true, false]);
});

test("of two toggles at once each turns what the other left", async () => {
  const { light } = create({ write: () => settle() });
  const both = await Promise.all([light.toggle(), light.toggle()]);
  expect(both.map(({ is_on }) => is_on)).toEqual([true, false]);
});

test("idle it is dark, yet remembers that it is on", async () => {
  const { light, log } = create();
  await light.turnOn();
  log.length = 0;
  await light.rest(true);
  expect(light.status().is_on).toBe(true);
  await light.settings.update({ pins: [4] });
  await light.rest(false);
  expect(log).toEqual(["write false", "pins 4", "write false", "settings", "write true"]);
});

test("switched off while idle it stays dark after waking", async () => {
  const { light, log } = create();
  await light.turnOn();
  await light.rest(true);
  await light.turnOff();
  log.length = 0;
  await light.rest(false);
  expect(log).toEqual(["write false"]);
});

test("D19: new pins take over the state, and replace the old ones", async () => {
  const { light, log } = create();
  await light.turnOn();
  log.length = 0;
  expect(await light.settings.update({ pins: [5] })).toMatchObject({ pins: [5], pin: null });
  expect(log).toEqual(["pins 5", "write true", "settings"]);
});

describe("S3: a light that can be dimmed", () => {
  const dimmable = (settings: object = {}) => {
    const powers: number[] = [];
    const write = async (on: boolean, power: number) => void powers.push(on ? power : 0);
    return { ...create({ write }, { pwm_support: true, ...settings }), powers };
  };

  test("shines with a part of its intensity, and is switched on and off by it", async () => {
    const { light, log, powers } = dimmable();
    expect(await light.dim(40)).toMatchObject({ is_on: true, value: 40 });
    expect(await light.turnOff()).toMatchObject({ is_on: false, value: 40 });
    expect(await light.toggle()).toMatchObject({ is_on: true, value: 40 });
    expect(await light.dim(0)).toMatchObject({ is_on: false, value: 0 });
    expect(await light.turnOn()).toMatchObject({ is_on: true, value: 100 });
    expect(powers).toEqual([0.4, 0, 0.4, 0, 1].map((power) => expect.closeTo(power, 9) as number));
    expect(log.slice(0, 3)).toEqual(["wake", "value", "is_on"]);
  });

  test("is darkened without waking anything, and idle it stays dark", async () => {
    const { light, log, powers } = dimmable();
    await light.dim(0);
    expect(log).toEqual(["value", "is_on"]);
    await light.dim(30);
    await light.rest(true);
    await light.rest(false);
    expect(powers.slice(1)).toEqual([0.3, 0, 0.3].map((power) => expect.closeTo(power, 9) as number));
  });

  test("S4: its voltages bound what it gets", async () => {
    const { light, powers } = dimmable({ pwm_min: 1.1, pwm_max: 2.2 });
    for (const percent of [100, 50, 1, 0]) await light.dim(percent);
    expect(powers.map((power) => power * 3.3)).toEqual(
      [2.2, 1.65, 1.111, 0].map((volts) => expect.closeTo(volts, 9) as number),
    );
    await light.dim(100);
    await light.settings.update({ pwm_max: 3.3 });
    expect(powers.at(-1)).toBe(1);
  });

  test("that only switches takes all or nothing", async () => {
    const { light } = create();
    await expect(light.dim(50)).rejects.toMatchObject({ code: "unsupported" });
    expect(light.status()).toMatchObject({ is_on: false, value: 100 });
    expect(await light.dim(100)).toMatchObject({ is_on: true, value: 100 });
  });

  test("that fails stays as it was", async () => {
    const { light } = create({ write: () => Promise.reject(new Error("no PWM")) }, { pwm_support: true });
    await expect(light.dim(50)).rejects.toMatchObject({ code: "hardware_fault" });
    expect(light.status()).toMatchObject({ is_on: false, value: 100 });
  });
});

describe("a light that cannot be driven", () => {
  const write = () => Promise.reject(new Error("pin 17 is taken"));

  test("D17: is a hardware fault and stays as it was", async () => {
    const { light, log } = create({ write });
    await expect(light.turnOn()).rejects.toMatchObject({
      code: "hardware_fault",
      message: "light Ring light: pin 17 is taken",
    });
    expect(light.status().is_on).toBe(false);
    expect(log).toEqual(["wake"]);
  });
});

test("closed, it is off and offline", async () => {
  const { light, log } = create();
  await light.turnOn();
  log.length = 0;
  await light.close();
  await light.close();
  expect(log).toEqual(["write false", "close"]);
  for (const call of [
    () => light.turnOn(),
    () => light.turnOff(),
    () => light.toggle(),
    () => light.rest(false),
    () => light.settings.update({}),
  ]) {
    await expect(call()).rejects.toMatchObject({ code: "offline" });
  }
});
