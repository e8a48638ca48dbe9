import { recordingLogger } from "@openscan/runtime/testing";
import { describe, expect, test } from "vitest";
import { startDevice } from "../../test/support.js";
import { SimulatedWorld, simulatedLines } from "../simulated.js";
import { GpioPins } from "./gpio-pins.js";

function create(busy: readonly (readonly [number, string])[] = []) {
  const used = { outputs: new Set([5, 6]), buttons: new Set([4]), busy: new Map(busy) };
  const lines = simulatedLines(new SimulatedWorld());
  return { gpio: new GpioPins({ lines, used: () => used, log: recordingLogger() }), lines };
}

test("a free pin becomes an output once it is set", async () => {
  const { gpio } = create();
  await expect(gpio.read(20)).rejects.toMatchObject({ code: "not_found" });
  await expect(gpio.toggle(20)).rejects.toMatchObject({ code: "conflict" });
  expect(await gpio.set(20, true)).toBe(true);
  expect(await gpio.read(20)).toBe(true);
  expect(await gpio.toggle(20)).toBe(false);
  expect(await gpio.read(20)).toBe(false);
  expect(gpio.list()).toEqual({ outputs: [5, 6, 20], buttons: [4] });
});

test("pins of components can be read and set, buttons cannot", async () => {
  const { gpio } = create();
  expect(await gpio.read(5)).toBe(false);
  expect(await gpio.set(5, true)).toBe(true);
  expect(await gpio.read(5)).toBe(true);
  await expect(gpio.set(4, true)).rejects.toMatchObject({ code: "conflict", message: "GPIO 4 is a button" });
  await expect(gpio.read(4)).rejects.toMatchObject({ code: "not_found" });
  await expect(gpio.toggle(4)).rejects.toMatchObject({ code: "conflict" });
});

test("pins of a motor that moves are left alone", async () => {
  const { gpio } = create([[5, "motor rotor is moving"]]);
  await expect(gpio.set(5, true)).rejects.toMatchObject({ code: "busy" });
  await expect(gpio.toggle(5)).rejects.toMatchObject({ code: "busy" });
  expect(await gpio.read(5)).toBe(false);
});

test.each([-1, 28, 2 ** 40])("there is no GPIO %i", async (pin) => {
  const { gpio } = create();
  await expect(gpio.set(pin, true)).rejects.toMatchObject({ code: "out_of_range" });
  expect(gpio.list().outputs).not.toContain(pin);
});

test("a line that cannot be claimed is a fault of the hardware, and is none of ours", async () => {
  const { gpio, lines } = create();
  lines.claim = () => Promise.reject(new Error("used by spidev"));
  await expect(gpio.set(9, true)).rejects.toMatchObject({
    code: "hardware_fault",
    message: "GPIO 9: used by spidev",
  });
  expect(gpio.list().outputs).toEqual([5, 6]);
});

test("of two toggles at once each turns what the other left", async () => {
  const { gpio } = create();
  expect(await Promise.all([gpio.toggle(5), gpio.toggle(5)])).toEqual([true, false]);
});

describe("of a device", () => {
  test("the pins of motors, lights and triggers are outputs, those of endstops buttons", async () => {
    const { device } = await startDevice();
    expect(device.gpio.list()).toEqual({ outputs: [5, 6, 10, 17, 23, 27], buttons: [4] });
    expect(await device.gpio.read(17)).toBe(true);
    await device.light("Ring light").turnOff();
    expect(await device.gpio.read(17)).toBe(false);
    await device.light("Ring light").settings.update({ pins: [12] });
    expect(device.gpio.list().outputs).toContain(12);
    expect(device.gpio.list().outputs).not.toContain(17);
  });

  test("a trigger's line is high while it is active", async () => {
    const { device, clock } = await startDevice();
    const pulse = device.trigger("trigger").fire();
    await clock.advance(50);
    expect(await device.gpio.read(10)).toBe(true);
    await clock.run(pulse);
    expect(await device.gpio.read(10)).toBe(false);
  });

  test("pins that were set for a test are let go of when the device is initialized anew", async () => {
    const { device } = await startDevice();
    await device.gpio.set(20, true);
    await device.initialize(device.configuration());
    expect(device.gpio.list().outputs).not.toContain(20);
  });

  test("pins of a motor are busy while it moves", async () => {
    const { device, clock } = await startDevice();
    const move = device.motor("rotor").moveTo(100);
    await expect(device.gpio.toggle(6)).rejects.toMatchObject({ message: "GPIO 6: motor rotor is moving" });
    await clock.run(move);
    expect(await device.gpio.toggle(23)).toBe(true);
  });
});
