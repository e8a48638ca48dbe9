import { settle } from "@openscan/runtime/testing";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { defineMotorDriver, type Device, type MotorDriver } from "../src/index.js";
import { rotorSettings, startDevice, tableSettings } from "./support.js";

const rotorAt = (start_angle: number) => ({ ...rotorSettings, driver: { kind: "simulated", start_angle } });

describe("idle", () => {
  test("releases the motors, darkens the lights, and keeps angles and is_on", async () => {
    const { device, clock, world } = await startDevice();
    await clock.run(device.motor("turntable").moveTo(135));
    await clock.run(device.motor("rotor").calibrate());
    await device.idle();
    expect(device.status()).toMatchObject({
      idle: true,
      motors: { rotor: { calibrated: false }, turntable: { angle: 135 } },
      lights: { "Ring light": { is_on: true } },
    });
    expect(world.light).toBe(0);
    await device.idle();
  });

  test("is refused while a motor moves", async () => {
    const { device, clock } = await startDevice();
    const move = device.motor("rotor").moveTo(45);
    await expect(device.idle()).rejects.toMatchObject({ code: "busy" });
    await clock.run(move);
    await device.idle();
  });
});

describe("waking", () => {
  test.each([
    [
      "a move",
      (device: Awaited<ReturnType<typeof startDevice>>["device"]) => device.motor("rotor").moveTo(45),
    ],
    ["home", (device) => device.motor("rotor").home()],
    ["a light turned on", (device) => device.light("Ring light").turnOn()],
    ["a move of both", (device) => device.moveTo({ theta: 80, fi: 80 })],
    ["a scan", (device) => device.prepareScan()],
    ["wake", (device) => device.wake()],
  ])("is done by %s", async (_, ask) => {
    const { device, clock, world, announced } = await startDevice();
    await device.idle();
    announced();
    await clock.run<unknown>(ask(device));
    expect(device.status().idle).toBe(false);
    expect(world.light).toBe(1);
    expect(announced().filter((path) => path === "idle")).toHaveLength(1);
    expect(world.angle("rotor")).toBeCloseTo(device.status().motors.rotor?.angle ?? 0, 6);
  });

  test("is not done by turning a light off", async () => {
    const { device } = await startDevice();
    await device.idle();
    await device.light("Ring light").turnOff();
    expect(device.status()).toMatchObject({ idle: true, lights: { "Ring light": { is_on: false } } });
  });

  test("takes a tenth of a second before anything moves", async () => {
    const { device, clock } = await startDevice();
    await device.idle();
    const move = device.motor("rotor").moveTo(45);
    expect(device.status().motors.rotor?.busy).toBe(true);
    await clock.advance(99);
    expect(device.status().motors.rotor?.angle).toBe(90);
    await clock.advance(100);
    expect(device.status().motors.rotor?.angle).toBeLessThan(90);
    await clock.run(move);
  });

  test("that fails leaves the device idle and fails the request", async () => {
    let fail = false;
    const energised = new Map<string, boolean>();
    const weak = defineMotorDriver({
      kind: "weak",
      settings: z.object({}),
      open: async (_settings, { name }): Promise<MotorDriver> => ({
        position: 0,
        configure: async () => {},
        enable: async (on) => {
          if (on && fail && name === "turntable") throw new Error("overheated");
          energised.set(name, on);
        },
        move: async () => {},
        close: async () => {},
      }),
    });
    const motors = {
      rotor: { ...rotorSettings, driver: "weak" },
      turntable: { ...tableSettings, driver: "weak" },
    };
    const { device, clock } = await startDevice({ motors }, [weak]);
    await device.idle();
    fail = true;
    await expect(clock.run(device.motor("rotor").moveTo(10))).rejects.toMatchObject({
      code: "hardware_fault",
      message: "motor turntable: overheated",
    });
    expect(device.status()).toMatchObject({ idle: true, motors: { rotor: { busy: false } } });
    // Nothing would ever release a motor of an idle device.
    expect(energised.get("rotor")).toBe(false);
  });
});

describe("startup_idle", () => {
  test("starts dark and asleep, with the lights remembered as on", async () => {
    const { device, clock, world } = await startDevice({ startup_mode: "startup_idle", motors_timeout: 10 });
    expect(device.status()).toMatchObject({
      idle: true,
      initialized: true,
      lights: { "Ring light": { is_on: true } },
    });
    expect(world.light).toBe(0);
    expect(clock.pending).toBe(0);
    await clock.run(device.wake());
    expect(world.light).toBe(1);
  });
});

describe("the idle timer", () => {
  test("puts the device to sleep after motors_timeout", async () => {
    const { device, clock, announced } = await startDevice({ motors_timeout: 10 });
    await clock.advance(9999);
    expect(device.status().idle).toBe(false);
    await clock.advance(1);
    expect(device.status().idle).toBe(true);
    expect(announced()).toEqual(["idle"]);
    expect(clock.pending).toBe(0);
  });

  test("does not run with a time-out of 0", async () => {
    const { clock } = await startDevice();
    expect(clock.pending).toBe(0);
  });

  test("starts anew after a move; lights and cameras do not matter", async () => {
    const { device, clock } = await startDevice({ motors_timeout: 10 });
    await clock.advance(9000);
    await clock.run(device.motor("turntable").moveTo(100));
    await clock.advance(9000);
    expect(device.status().idle).toBe(false);
    await device.light("Ring light").turnOn();
    await device.camera("camera").capture({ format: "jpeg" });
    await clock.advance(1001);
    expect(device.status().idle).toBe(true);
  });

  test("stands still during moves, also when one ends within another", async () => {
    const slow = { ...tableSettings, acceleration: 1000, max_speed: 50 };
    const { device, clock } = await startDevice({
      motors: { rotor: rotorSettings, turntable: slow },
      motors_timeout: 2,
    });
    const long = device.motor("turntable").moveTo(180);
    await clock.run(device.motor("rotor").moveTo(80));
    await clock.advance(5000);
    expect(device.status()).toMatchObject({ idle: false, motors: { turntable: { busy: true } } });
    await clock.run(long);
    await clock.advance(1999);
    expect(device.status().idle).toBe(false);
    await clock.advance(1);
    expect(device.status().idle).toBe(true);
  });

  test("starts anew when a calibrated motor is calibrated", async () => {
    const { device, clock } = await startDevice({ motors_timeout: 60 });
    await clock.run(device.motor("rotor").calibrate());
    await clock.advance(59_000);
    await device.motor("rotor").calibrate();
    await clock.advance(59_000);
    expect(device.status().idle).toBe(false);
    await clock.advance(1000);
    expect(device.status().idle).toBe(true);
  });

  test("runs again after waking", async () => {
    const { device, clock } = await startDevice({ motors_timeout: 10 });
    await clock.advance(10_000);
    await clock.run(device.wake());
    await clock.advance(10_000);
    expect(device.status().idle).toBe(true);
  });
});

describe("calibrate_on_wake", () => {
  const start = () =>
    startDevice({
      calibrate_mode: "calibrate_on_wake",
      startup_mode: "startup_idle",
      motors: { rotor: rotorAt(70), turntable: tableSettings },
    });

  test("waking finds the endstops; motors without one stay not calibrated", async () => {
    const { device, clock, world } = await start();
    await clock.run(device.wake());
    expect(device.status().motors).toMatchObject({
      rotor: { calibrated: true },
      turntable: { calibrated: false },
    });
    expect(world.angle("rotor")).toBeCloseTo(device.status().motors.rotor?.angle ?? 0, 1);
  });

  test("the motor that was asked to move calibrates itself first", async () => {
    const { device, clock, world, announced } = await start();
    const status = await clock.run(device.motor("rotor").moveTo(45));
    expect(status).toMatchObject({ calibrated: true, busy: false });
    expect(world.angle("rotor")).toBeCloseTo(45, 1);
    expect(announced().filter((path) => path === "motors.rotor.busy")).toHaveLength(2);
  });

  test("a move of both waits for the other motor's calibration", async () => {
    const { device, clock, world } = await start();
    await clock.run(device.motor("turntable").moveTo(100));
    expect(device.status().motors.rotor?.calibrated).toBe(true);
    await device.idle();
    await clock.run(device.moveTo({ theta: 45, fi: 10 }));
    expect(device.status().motors.rotor?.calibrated).toBe(true);
    expect(world.angle("rotor")).toBeCloseTo(45, 1);
  });

  test("an awake device does not calibrate", async () => {
    const { device, clock } = await startDevice({ calibrate_mode: "calibrate_on_wake" });
    await clock.run(device.motor("rotor").moveTo(45));
    expect(device.status().motors.rotor?.calibrated).toBe(false);
  });

  test("a calibration that fails fails the request, and the device is awake", async () => {
    const { device, clock } = await startDevice({
      calibrate_mode: "calibrate_on_wake",
      startup_mode: "startup_idle",
      endstops: {
        far: {
          settings: { pin: 4, angular_position: 145, motor_name: "rotor" },
          driver: { kind: "simulated", position: 30, width: 0 },
        },
      },
    });
    await expect(clock.run(device.light("Ring light").turnOn())).rejects.toMatchObject({
      code: "hardware_fault",
    });
    expect(device.status()).toMatchObject({
      idle: false,
      motors: { rotor: { calibrated: false, busy: false } },
    });
  });

  test("a cancelled scan or move ends the calibration that waking does", async () => {
    for (const ask of [
      (device: Device, signal: AbortSignal) => device.prepareScan(signal),
      (device: Device, signal: AbortSignal) => device.motor("turntable").moveTo(10, signal),
    ]) {
      const { device, clock } = await start();
      const abort = new AbortController();
      const asked = expect(ask(device, abort.signal)).rejects.toBeDefined();
      await clock.advance(500);
      expect(device.status().motors.rotor?.busy).toBe(true);
      abort.abort();
      await asked;
      await clock.advance(50);
      expect(device.status()).toMatchObject({
        idle: false,
        motors: { rotor: { busy: false, calibrated: false }, turntable: { busy: false } },
      });
    }
  });

  test("a device that is closed meanwhile is not energised again", async () => {
    const { device, world, clock } = await startDevice();
    await device.idle();
    const waiting = [device.wake(), device.wake(), device.light("Ring light").turnOn()];
    const settled = Promise.allSettled(waiting);
    await clock.run(device.close());
    await settled;
    expect(world.light).toBe(0);
    expect(clock.pending).toBe(0);
  });

  test("closing in the middle ends it", async () => {
    const { device, clock } = await start();
    const waking = expect(device.wake()).rejects.toMatchObject({ code: "cancelled" });
    await clock.advance(500);
    expect(device.status().motors.rotor?.busy).toBe(true);
    await device.close();
    await waking;
    expect(clock.pending).toBe(0);
  });
});

describe("calibrate_on_home", () => {
  test("home of any motor finds the endstops of all", async () => {
    const { device, clock, world } = await startDevice({
      calibrate_mode: "calibrate_on_home",
      motors: { rotor: rotorAt(100), turntable: tableSettings },
    });
    await clock.run(device.motor("turntable").home());
    expect(device.status().motors).toMatchObject({
      rotor: { calibrated: true },
      turntable: { calibrated: false },
    });
    expect(world.angle("rotor")).toBeCloseTo(90, 1);
  });

  test("two motors sent home at once do not wait for each other", async () => {
    const { device, clock, world } = await startDevice({
      calibrate_mode: "calibrate_on_home",
      motors: { rotor: rotorAt(100), turntable: tableSettings },
    });
    await clock.run(Promise.all([device.motor("turntable").home(), device.motor("rotor").home()]));
    expect(device.status().motors.rotor?.calibrated).toBe(true);
    expect(world.angle("rotor")).toBeCloseTo(90, 1);
  });

  test("a plain move does not", async () => {
    const { device, clock } = await startDevice({ calibrate_mode: "calibrate_on_home" });
    await clock.run(device.motor("rotor").moveTo(45));
    expect(device.status().motors.rotor?.calibrated).toBe(false);
  });
});

describe("preparing a scan", () => {
  test.each([
    ["calibrate_on_scan", true],
    ["calibrate_manual", false],
  ] as const)("D6: in mode %s leaves the rotor calibrated: %s", async (calibrate_mode, calibrated) => {
    const { device, clock } = await startDevice({ calibrate_mode });
    await clock.run(device.prepareScan());
    expect(device.status().motors.rotor?.calibrated).toBe(calibrated);
  });

  test("waits for a motor that moves, and can be cancelled", async () => {
    const { device, clock } = await startDevice({ calibrate_mode: "calibrate_on_scan" });
    const move = device.motor("rotor").moveTo(45);
    await clock.run(device.prepareScan());
    expect((await move).angle).toBeCloseTo(45, 1);
    await device.idle();
    const abort = new AbortController();
    const cancelled = expect(device.prepareScan(abort.signal)).rejects.toMatchObject({ code: "cancelled" });
    await clock.advance(500);
    abort.abort();
    await cancelled;
    await settle();
    expect(device.status().motors.rotor).toMatchObject({ busy: false, calibrated: false });
  });
});
