import { LightSettings } from "@openscan/protocol";
import { settle } from "@openscan/runtime/testing";
import { describe, expect, test } from "vitest";
import { fault } from "../fault.js";
import type { LightDriver } from "./driver.js";
import { Light } from "./light.js";

function create(driver: Partial<LightDriver> = {}) {
  const log: string[] = [];
  const light = new Light({
    name: "Ring light",
    settings: LightSettings.parse({ pins: [17, 27] }),
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

test("turning on wakes the device first; turning off does not", async () => {
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

test("new pins take over the state", async () => {
  const { light, log } = create();
  await light.turnOn();
  log.length = 0;
  expect(await light.settings.update({ pins: [5] })).toMatchObject({ pins: [5], pin: null });
  expect(log).toEqual(["pins 5", "write true", "settings"]);
});

describe("a light that cannot be driven", () => {
  const write = () => Promise.reject(new Error("pin 17 is taken"));

  test("is a hardware fault and stays as it was", async () => {
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
