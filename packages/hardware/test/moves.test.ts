import { settle } from "@openscan/runtime/testing";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { checkReachable, defineMotorDriver, type MotorDriver } from "../src/index.js";
import { rotorSettings, startDevice, tableSettings } from "./support.js";

describe("moving both", () => {
  test("happens at the same time: as long as the longer of the two", async () => {
    const { device, clock, world } = await startDevice();
    const start = clock.monotonic();
    await clock.run(device.moveTo({ theta: 45, fi: 270 }));
    const both = [device.motor("rotor").estimateMs(45), device.motor("turntable").estimateMs(180)];
    // The rotor watches its endstop, hence looks every 10 ms.
    expect(clock.monotonic() - start).toBeCloseTo(Math.max(...both), 0);
    expect(world.angle("rotor")).toBeCloseTo(45, 1);
    expect(world.angle("turntable")).toBeCloseTo(270, 6);
  });

  test("each takes exactly its own steps", async () => {
    const { device, clock, world } = await startDevice();
    for (const [theta, fi] of [
      [10, 350],
      [120, 5],
      [80.5, 182.3],
    ] as const) {
      await clock.run(device.moveTo({ theta, fi }));
      const { rotor, turntable } = device.status().motors;
      expect(Math.abs((rotor?.angle ?? 0) - theta)).toBeLessThan(360 / 42_667);
      expect(Math.abs((turntable?.angle ?? 0) - fi)).toBeLessThan(360 / 3200);
      expect(world.angle("rotor")).toBeCloseTo(rotor?.angle ?? 0, 6);
    }
  });

  test("of several who ask at once each gets its move, one after another", async () => {
    const { device, clock } = await startDevice();
    const moves = [120, 60, 200, 30].map((fi) => device.moveTo({ theta: 80, fi }));
    await clock.run(Promise.all(moves));
    expect(device.status().motors).toMatchObject({ rotor: { busy: false }, turntable: { busy: false } });
    expect(clock.pending).toBe(0);
  });

  test("cancelled stops both, and says so after both rest", async () => {
    const { device, clock } = await startDevice();
    const abort = new AbortController();
    const cancelled = expect(device.moveTo({ theta: 10, fi: 270 }, abort.signal)).rejects.toMatchObject({
      code: "cancelled",
    });
    await clock.advance(200);
    abort.abort();
    await cancelled;
    expect(device.status().motors).toMatchObject({ rotor: { busy: false }, turntable: { busy: false } });
    await expect(device.moveTo({ theta: 10, fi: 10 }, abort.signal)).rejects.toMatchObject({
      code: "cancelled",
    });
  });

  test("a motor that fails stops the other", async () => {
    const failing = defineMotorDriver({
      kind: "failing",
      settings: z.object({}),
      open: async (_settings, { clock }): Promise<MotorDriver> => ({
        position: 0,
        configure: async () => {},
        enable: async () => {},
        move: async () => {
          await clock.sleep(100);
          throw new Error("stalled");
        },
        close: async () => {},
      }),
    });
    const motors = { rotor: rotorSettings, turntable: { ...tableSettings, driver: "failing" } };
    const { device, clock } = await startDevice({ motors }, [failing]);
    await expect(clock.run(device.moveTo({ theta: 10, fi: 10 }))).rejects.toMatchObject({
      code: "hardware_fault",
      message: "motor turntable: stalled",
    });
    expect(device.status().motors.rotor).toMatchObject({ busy: false });
    expect(device.status().motors.rotor?.angle).toBeGreaterThan(80);
  });

  test("that an endstop ends is a fault, since a photo would be taken from elsewhere", async () => {
    const { device, clock, world } = await startDevice({
      motors: {
        rotor: { ...rotorSettings, driver: { kind: "simulated", start_angle: 120 } },
        turntable: tableSettings,
      },
    });
    await expect(clock.run(device.moveTo({ theta: 120, fi: 90 }))).rejects.toMatchObject({
      code: "hardware_fault",
      message: expect.stringMatching(/motor rotor was to go to 120 degrees but ended at 143/) as string,
    });
    // Now it knows better.
    await clock.run(device.moveTo({ theta: 120, fi: 90 }));
    expect(world.angle("rotor")).toBeCloseTo(120, 1);
  });

  test("outside the limits ends at the limit", async () => {
    const { device, clock } = await startDevice();
    await clock.run(device.moveTo({ theta: -5, fi: -10 }));
    expect(device.status().motors.rotor?.angle).toBeCloseTo(0, 1);
    expect(device.status().motors.turntable?.angle).toBeCloseTo(350.1, 6);
  });

  test("needs both motors", async () => {
    const { device } = await startDevice({ motors: { turntable: tableSettings }, endstops: {} });
    await expect(device.moveTo({ theta: 1, fi: 1 })).rejects.toMatchObject({ code: "not_found" });
  });
});

describe("a motor that is busy", () => {
  const slow = { ...tableSettings, acceleration: 1000 };

  test("is waited for when it ends soon", async () => {
    const { device, clock } = await startDevice();
    const first = device.motor("rotor").moveTo(10);
    const second = device.moveTo({ theta: 100, fi: 90 });
    await clock.run(second);
    expect((await first).angle).toBeCloseTo(10, 1);
    expect(device.status().motors.rotor?.angle).toBeCloseTo(100, 1);
  });

  test("is stopped after 1.5 half turns", async () => {
    const motors = { rotor: rotorSettings, turntable: { ...slow, max_speed: 300 } };
    const { device, clock } = await startDevice({ motors });
    // Half a turn takes 5.6 s; a second move begun right after the first keeps the motor busy for longer.
    const table = device.motor("turntable");
    const first = table.moveTo(270);
    const second = first.then(() => table.moveTo(90));
    const stopped = expect(second).rejects.toMatchObject({ code: "cancelled" });
    const start = clock.monotonic();
    const move = device.moveTo({ theta: 90, fi: 0 });
    await clock.run(stopped);
    expect(Math.abs(clock.monotonic() - start - 1.5 * table.estimateMs(180))).toBeLessThan(2);
    await clock.run(move);
    expect(table.status().angle).toBeCloseTo(0, 5);
  });

  test("that does not stop is given up after ten seconds", async () => {
    let release = () => {};
    const stuck = defineMotorDriver({
      kind: "stuck",
      settings: z.object({}),
      open: async (): Promise<MotorDriver> => ({
        position: 0,
        configure: async () => {},
        enable: async () => {},
        move: () =>
          new Promise((resolve) => {
            release = resolve;
          }),
        close: async () => {},
      }),
    });
    const motors = { rotor: tableSettings, turntable: { ...tableSettings, driver: "stuck" } };
    const { device, clock } = await startDevice({ motors, endstops: {} }, [stuck]);
    const ended = expect(device.motor("turntable").moveTo(10)).rejects.toMatchObject({ code: "cancelled" });
    await settle();
    const start = clock.monotonic();
    await expect(clock.run(device.moveTo({ theta: 90, fi: 0 }))).rejects.toMatchObject({
      code: "timeout",
      message: "motor turntable stays busy",
    });
    expect(clock.monotonic() - start).toBeCloseTo(10_000, 0);
    release();
    await ended;
  });
});

describe("reachable positions", () => {
  test.each([
    [{ theta: 0, fi: 720 }, undefined],
    [{ theta: 145, fi: -10 }, undefined],
    [{ theta: 145.1, fi: 0 }, "rotor cannot be at 145.1 degrees, only from 0 to 145"],
    [{ theta: -1, fi: 0 }, "rotor cannot be at -1 degrees, only from 0 to 145"],
    [{ theta: 90, fi: Number.NaN }, "turntable cannot be at NaN degrees, only from 0 to 360"],
  ])("%j: %s", async (position, problem) => {
    const { device } = await startDevice();
    const check = () => device.checkReachable(position);
    if (problem === undefined) expect(check).not.toThrow();
    else expect(check).toThrow(expect.objectContaining({ code: "out_of_range", message: problem }));
    const pure = () => checkReachable(position, { rotor: rotorSettings, turntable: tableSettings });
    if (problem === undefined) expect(pure).not.toThrow();
    else expect(pure).toThrow(problem);
  });
});
