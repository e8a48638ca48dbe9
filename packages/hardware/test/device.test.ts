import { DeviceConfiguration, DeviceStatus } from "@openscan/protocol";
import { settle } from "@openscan/runtime/testing";
import { describe, expect, test, vi } from "vitest";
import { z } from "zod";
import { defineLightDriver, defineMotorDriver, type MotorDriver } from "../src/index.js";
import { configurationOf, createDevice, rotorSettings, startDevice, tableSettings } from "./support.js";

const settings = z.object({});
/** Drivers that cannot be opened, and a light that cannot be switched. */
const broken = [
  defineMotorDriver({ kind: "broken", settings, open: () => Promise.reject(new Error("no such chip")) }),
  defineLightDriver({
    kind: "broken",
    settings,
    open: async () => ({
      configure: async () => {},
      write: () => Promise.reject(new Error("burnt out")),
      close: async () => {},
    }),
  }),
];

describe("before initialisation", () => {
  test("the device is unknown, empty and answers", () => {
    const { device } = createDevice();
    const status = DeviceStatus.parse(device.status());
    expect(status).toMatchObject({
      name: "Unknown device",
      model: null,
      initialized: false,
      motors: {},
      cameras: {},
    });
    expect(() => device.motor("rotor")).toThrow(expect.objectContaining({ code: "not_found" }));
  });

  test("waking does nothing", async () => {
    const { device, announced } = createDevice();
    await device.wake();
    expect(announced()).toEqual([]);
  });
});

describe("initialisation", () => {
  test("brings up what is configured: lights on, motors at 90 degrees, awake", async () => {
    const { device, world } = await startDevice();
    const status = DeviceStatus.parse(device.status());
    expect(status).toMatchObject({
      name: "Test scanner",
      model: "mini",
      initialized: true,
      idle: false,
      cameras: { camera: { name: "camera", type: "picamera2", busy: false } },
      motors: { rotor: { angle: 90, calibrated: false }, turntable: { angle: 90, endstop: null } },
      lights: { "Ring light": { is_on: true } },
      triggers: { trigger: { busy: false } },
      endstops: { "rotor-endstop": { settings: { pin: 4, motor_name: "rotor" } } },
    });
    expect(status.motors.rotor?.endstop).toMatchObject({ assigned_motor: "rotor", is_pressed: false });
    expect(world.light).toBe(1);
  });

  test("keeps the order of the configuration", async () => {
    const names = ["zeta", "alpha", "Mid light"];
    const { device } = await startDevice({
      lights: Object.fromEntries(names.map((name, pin) => [name, { pin }])),
      motors: { turntable: tableSettings, rotor: rotorSettings },
    });
    expect(Object.keys(device.status().lights)).toEqual(names);
    expect(Object.keys(device.configuration().lights)).toEqual(names);
    expect([...device.motors.keys()]).toEqual(["turntable", "rotor"]);
  });

  test("without a configured camera uses the ones that are attached", async () => {
    const { device } = await startDevice({ cameras: {} });
    expect(Object.keys(device.status().cameras)).toEqual(["simulated_camera"]);
    expect(DeviceConfiguration.parse(device.configuration()).cameras.simulated_camera).toMatchObject({
      driver: { kind: "simulated" },
      settings: { jpeg_quality: 90 },
    });
  });

  test("leaves out a component that fails, says so, and keeps its configuration for saving", async () => {
    const { device, log } = await startDevice(
      {
        motors: { rotor: { ...rotorSettings, driver: "broken" }, turntable: tableSettings },
        lights: { dead: { pin: 1, driver: "broken" }, ring: { pin: 2 } },
      },
      broken,
    );
    const status = device.status();
    expect(Object.keys(status.motors)).toEqual(["turntable"]);
    expect(status.lights).toMatchObject({ dead: { is_on: false }, ring: { is_on: true } });
    // The endstop of a motor that is not there is of no use.
    expect(status.endstops).toEqual({});
    expect(device.configuration().motors.rotor).toEqual({ ...rotorSettings, driver: { kind: "broken" } });
    expect(
      log.lines.filter(({ level }) => level === "error").map(({ fields }) => String(fields.err)),
    ).toEqual([
      "Error: no such chip",
      "ScanError: endstop rotor-endstop: there is no motor rotor",
      "ScanError: light dead: burnt out",
    ]);
  });

  test("a motor has one endstop", async () => {
    const endstop = (pin: number) => ({ settings: { pin, angular_position: 145, motor_name: "rotor" } });
    const { device, log } = await startDevice({ endstops: { first: endstop(1), second: endstop(2) } });
    expect([...device.endstops.keys()]).toEqual(["first"]);
    expect(log.lines.some(({ fields }) => String(fields.err).includes("has first already"))).toBe(true);
  });

  test.each([
    [{ lights: { ring: { pin: 1, driver: "laser" } } }, /light "ring": there is no driver "laser"/],
    [
      { motors: { rotor: { ...rotorSettings, driver: { kind: "simulated", start_angle: "up" } } } },
      /motor "rotor": driver simulated: .*start_angle/s,
    ],
  ])("with a driver that is wrong leaves the old device as it was: %j", async (changes, message) => {
    const { device, clock, announced } = await startDevice();
    const before = device.status();
    const rotor = device.motor("rotor");
    await expect(device.initialize(configurationOf(changes))).rejects.toMatchObject({
      code: "invalid",
      message: expect.stringMatching(message) as string,
    });
    expect(device.status()).toEqual(before);
    expect(announced()).toEqual([]);
    expect(await clock.run(rotor.moveTo(80))).toMatchObject({ busy: false });
  });

  test("again stops the old motors, closes everything old, and starts at 90 degrees", async () => {
    const { device, clock, world, announced } = await startDevice();
    const old = {
      motor: device.motor("rotor"),
      light: device.light("Ring light"),
      camera: device.camera("camera"),
    };
    const stopped = expect(old.motor.moveTo(10)).rejects.toMatchObject({ code: "cancelled" });
    await clock.advance(300);
    await device.initialize(configurationOf({ name: "Second", lights: { other: { pin: 3 } } }));
    await stopped;
    expect(device.status()).toMatchObject({ name: "Second", motors: { rotor: { angle: 90 } } });
    expect(Object.keys(device.status().lights)).toEqual(["other"]);
    await expect(old.motor.moveTo(10)).rejects.toMatchObject({ code: "offline" });
    await expect(old.light.turnOn()).rejects.toMatchObject({ code: "offline" });
    await expect(old.camera.preview()).rejects.toMatchObject({ code: "offline" });
    expect(announced().at(-1)).toBe("null");
    expect(world.light).toBe(1);
  });

  test("D20: again listens to the new endstops only", async () => {
    const { device, clock, announced } = await startDevice();
    await device.initialize(configurationOf());
    announced();
    await clock.run(device.motor("rotor").calibrate());
    expect(announced().filter((path) => path === "motors.rotor.endstop")).toHaveLength(2);
  });

  test("requests for it take turns", async () => {
    const { device } = createDevice();
    await Promise.all([
      device.initialize(configurationOf({ name: "First" })),
      device.initialize(configurationOf({ name: "Second" })),
    ]);
    expect(device.status().name).toBe("Second");
  });
});

describe("snapshots", () => {
  test("are copies that later changes do not reach, and valid in every state", async () => {
    const { device, clock } = await startDevice();
    const seen: DeviceStatus[] = [];
    const texts: string[] = [];
    device.changes.on(() => {
      seen.push(device.status());
      texts.push(JSON.stringify(device.status()));
    });
    await clock.run(device.moveTo({ theta: 45, fi: 10 }));
    await clock.run(device.motor("rotor").calibrate());
    await device.light("Ring light").settings.update({ pins: [1] });
    await device.camera("camera").capture({ format: "jpeg" });
    await clock.run(device.trigger("trigger").fire());
    await device.idle();
    expect(seen.length).toBeGreaterThan(12);
    expect(seen.map((status) => JSON.stringify(DeviceStatus.parse(status)))).toEqual(texts);
  });

  test("can be changed without changing the device", async () => {
    const { device } = await startDevice();
    const status = device.status();
    status.lights["Ring light"]?.settings.pins?.push(99);
    device.configuration().lights["Ring light"]?.pins?.push(99);
    expect(device.status().lights["Ring light"]?.settings.pins).toEqual([17, 27]);
  });
});

test("the configuration is the running state, drivers kept, and starts the same device again", async () => {
  const { device } = await startDevice({
    motors: {
      rotor: { ...rotorSettings, driver: { kind: "simulated", start_angle: 70 } },
      turntable: tableSettings,
    },
    motors_timeout: 60,
    calibrate_mode: "calibrate_on_home",
  });
  await device.motor("rotor").settings.update({ max_speed: 1234 });
  await device.camera("camera").settings.update({ gain: 3 });
  await device.trigger("trigger").settings.update({ pulse_width_ms: 5 });
  await device.light("Ring light").settings.update({ pins: [9] });
  const saved = device.configuration();
  expect(saved).toMatchObject({
    motors: { rotor: { max_speed: 1234, driver: { kind: "simulated", start_angle: 70 } } },
    cameras: { camera: { path: "simulated", settings: { gain: 3 } } },
    triggers: { trigger: { pulse_width_ms: 5 } },
    lights: { "Ring light": { pins: [9] } },
    endstops: { "rotor-endstop": { settings: { pin: 4 } } },
    motors_timeout: 60,
    calibrate_mode: "calibrate_on_home",
  });
  const loaded = DeviceConfiguration.parse(JSON.parse(JSON.stringify(saved)));
  expect(loaded).toEqual(saved);
  const before = device.status();
  await device.initialize(loaded);
  expect(device.status()).toEqual(before);
});

test.each(["camera", "motor", "light", "trigger"] as const)("an unknown %s is not found", async (kind) => {
  const { device } = await startDevice();
  expect(() => device[kind]("nobody")).toThrow(
    expect.objectContaining({ code: "not_found", message: `there is no ${kind} "nobody"` }),
  );
});

describe("closing", () => {
  test("stops the motors, releases them, darkens the lights, ends the camera; then all is offline", async () => {
    const enabled: boolean[] = [];
    const spy = defineMotorDriver({
      kind: "spy",
      settings,
      open: async (): Promise<MotorDriver> => ({
        position: 0,
        configure: async () => {},
        enable: async (on) => void enabled.push(on),
        move: async () => {},
        close: async () => void enabled.push(false),
      }),
    });
    const motors = {
      rotor: rotorSettings,
      turntable: tableSettings,
      spy: { ...rotorSettings, driver: "spy" },
    };
    const { device, clock, world, renderer } = await startDevice({ motors, motors_timeout: 10 }, [spy]);
    await device.camera("camera").preview();
    const parts = {
      motor: device.motor("rotor"),
      light: device.light("Ring light"),
      trigger: device.trigger("trigger"),
    };
    const cancelled = expect(device.moveTo({ theta: 10, fi: 200 })).rejects.toMatchObject({
      code: "cancelled",
    });
    await clock.advance(200);
    await device.close();
    await device.close();
    await cancelled;
    expect(enabled).toEqual([true, false, false]);
    expect(world.light).toBe(0);
    expect(renderer.closed).toBe(true);
    expect(clock.pending).toBe(0);
    for (const call of [
      () => device.initialize(configurationOf()),
      () => device.moveTo({ theta: 1, fi: 1 }),
      () => device.wake(),
      () => device.idle(),
      () => device.prepareScan(),
      () => parts.motor.moveTo(1),
      () => parts.light.turnOn(),
      () => parts.light.turnOff(),
      () => parts.trigger.fire(),
    ]) {
      await expect(call()).rejects.toMatchObject({ code: "offline" });
    }
    expect(device.status().motors.rotor?.busy).toBe(false);
  });

  test("during initialisation closes what is being opened", async () => {
    const close = vi.fn(async () => {});
    let open = () => {};
    const slow = defineLightDriver({
      kind: "slow",
      settings,
      open: () =>
        new Promise((resolve) => {
          open = () => resolve({ configure: async () => {}, write: async () => {}, close });
        }),
    });
    const { device, clock } = createDevice([slow]);
    const started = device.initialize(
      configurationOf({ lights: { ring: { pin: 1, driver: "slow" } }, motors_timeout: 5 }),
    );
    await settle();
    const closed = device.close();
    await settle();
    open();
    await Promise.all([started, closed]);
    expect(close).toHaveBeenCalledOnce();
    expect(clock.pending).toBe(0);
  });

  test("goes on when a component does not close well", async () => {
    const stuck = defineLightDriver({
      kind: "stuck",
      settings,
      open: async () => ({
        configure: async () => {},
        write: async () => {},
        close: () => Promise.reject(new Error("cannot let go")),
      }),
    });
    const lights = { bad: { pin: 1, driver: "stuck" }, good: { pin: 2 } };
    const { device, world, log } = await startDevice({ lights }, [stuck]);
    await device.close();
    expect(world.light).toBe(0);
    expect(log.lines.at(-1)).toMatchObject({ level: "error", fields: { component: "bad" } });
  });
});
