import { ScanError } from "@openscan/protocol";
import { expect, test } from "vitest";
import { z } from "zod";
import {
  defineCameraDriver,
  defineLightDriver,
  defineMotorDriver,
  defineTriggerDriver,
  type Fault,
} from "../src/index.js";
import { configurationOf, createDevice, rotorSettings, tableSettings } from "./support.js";

const settings = z.object({});
const kind = "moody";
const photo = {
  format: "jpeg" as const,
  bytes: new Uint8Array(1),
  mediaType: "image/jpeg",
  extension: ".jpg",
  rawMetadata: {},
};

/** A device whose drivers do as they are told until `moods` says otherwise, e.g. `turntable move`. */
async function start() {
  const moods = new Map<string, (signal?: AbortSignal) => Promise<void>>();
  const may = async (name: string, what: string, signal?: AbortSignal) =>
    moods.get(`${name} ${what}`)?.(signal);
  const { device, clock } = createDevice([
    defineMotorDriver({
      kind,
      settings,
      async open(_settings, { name }) {
        await may(name, "open");
        let position = 0;
        return {
          get position() {
            return position;
          },
          configure: () => may(name, "configure"),
          enable: (on) => may(name, on ? "enable" : "release"),
          async move(steps, { signal }) {
            await may(name, "move", signal);
            position += steps;
          },
          close: () => may(name, "close"),
        };
      },
    }),
    defineCameraDriver({
      kind,
      settings,
      open: async (_settings, { name }) => ({
        formats: ["jpeg"],
        configure: () => may(name, "configure"),
        async capture({ signal }) {
          await may(name, "capture", signal);
          return photo;
        },
        async preview(signal) {
          await may(name, "preview", signal);
          return photo.bytes;
        },
        close: async () => {},
      }),
    }),
    defineLightDriver({
      kind,
      settings,
      open: async (_settings, { name }) => ({
        configure: async () => {},
        write: () => may(name, "write"),
        close: async () => {},
      }),
    }),
    defineTriggerDriver({
      kind,
      settings,
      open: async (_settings, { name }) => ({
        configure: async () => {},
        write: () => may(name, "write"),
        close: async () => {},
      }),
    }),
  ]);
  const faults: Fault[] = [];
  device.faults.on((fault) => faults.push(fault));
  const configuration = configurationOf({
    cameras: { eye: { type: "picamera2", path: "x", driver: kind, settings: {} } },
    motors: {
      rotor: { ...rotorSettings, driver: kind },
      turntable: { ...tableSettings, driver: kind },
    },
    lights: { ring: { pins: [1], driver: kind } },
    triggers: { shutter: { ...{ pin: 10 }, driver: kind } },
  });
  await device.initialize(configuration);
  return {
    device,
    clock,
    configuration,
    faults,
    fail: (what: string, error = new Error("burnt out")) => void moods.set(what, () => Promise.reject(error)),
    hang: (what: string) =>
      void moods.set(what, async (signal) => {
        signal?.throwIfAborted();
        await new Promise((_, reject) =>
          signal?.addEventListener("abort", () => reject(signal.reason as Error)),
        );
      }),
  };
}

type Parts = Awaited<ReturnType<typeof start>>;
const hardware = (component: string) => ({
  component,
  code: "hardware_fault",
  message: `${component.replace("s.", " ")}: burnt out`,
});

test.each<[string, string, (parts: Parts) => Promise<unknown>]>([
  ["turntable move", "motors.turntable", ({ device }) => device.motor("turntable").moveTo(10)],
  ["turntable move", "motors.turntable", ({ device }) => device.moveTo({ theta: 10, fi: 10 })],
  ["rotor enable", "motors.rotor", ({ device }) => device.motor("rotor").enable(true)],
  ["eye capture", "cameras.eye", ({ device }) => device.camera("eye").capture({ format: "jpeg" })],
  ["eye preview", "cameras.eye", ({ device }) => device.camera("eye").preview()],
  ["ring write", "lights.ring", ({ device }) => device.light("ring").toggle()],
  ["shutter write", "triggers.shutter", ({ device }) => device.trigger("shutter").fire()],
])("a failing '%s' is a fault of %s, told once", async (what, component, use) => {
  const parts = await start();
  parts.fail(what);
  await expect(parts.clock.run(use(parts))).rejects.toMatchObject({ code: "hardware_fault" });
  expect(parts.faults).toEqual([hardware(component)]);
  await expect(parts.clock.run(use(parts))).rejects.toMatchObject({ code: "hardware_fault" });
  expect(parts.faults).toEqual([hardware(component), hardware(component)]);
});

test("a fault that fails the request of another component is told of its own, once", async () => {
  const { device, clock, faults, fail } = await start();
  await device.idle();
  fail("turntable enable");
  await expect(clock.run(device.motor("rotor").moveTo(10))).rejects.toThrow("motor turntable: burnt out");
  await expect(clock.run(device.light("ring").turnOn())).rejects.toThrow("motor turntable: burnt out");
  expect(faults).toEqual([hardware("motors.turntable"), hardware("motors.turntable")]);
});

test("those who share a preview hear of one fault", async () => {
  const { device, faults, fail } = await start();
  fail("eye preview");
  const viewers = [1, 2, 3].map(() => device.camera("eye").preview());
  expect((await Promise.allSettled(viewers)).map(({ status }) => status)).toEqual(Array(3).fill("rejected"));
  expect(faults).toEqual([hardware("cameras.eye")]);
});

test("a camera that does not answer is a fault", async () => {
  const { device, clock, faults, hang } = await start();
  hang("eye preview");
  await expect(clock.run(device.camera("eye").preview())).rejects.toMatchObject({ code: "timeout" });
  hang("eye configure");
  await expect(clock.run(device.camera("eye").settings.update({ gain: 2 }))).rejects.toThrow();
  expect(faults).toMatchObject([
    { component: "cameras.eye", code: "timeout", message: "camera eye did not answer within 30000 ms" },
    {
      component: "cameras.eye",
      code: "timeout",
      message: expect.stringContaining("did not take its settings"),
    },
  ]);
});

test("a bus that fails while settings are taken over is a fault; settings that a driver refuses are none", async () => {
  const { device, faults, fail } = await start();
  fail("rotor configure", new ScanError("hardware_fault", "the bus does not answer"));
  await expect(device.motor("rotor").settings.update({ max_speed: 10 })).rejects.toThrow();
  expect(faults).toMatchObject([{ component: "motors.rotor", code: "hardware_fault" }]);
  faults.length = 0;
  fail("rotor configure", new ScanError("invalid", "too fast for this chip"));
  await expect(device.motor("rotor").settings.update({ max_speed: 20 })).rejects.toThrow("too fast");
  expect(faults).toEqual([]);
});

test("what fails although nobody waits for it is a fault: on closing, opening, falling asleep", async () => {
  const { device, configuration, faults, fail } = await start();
  fail("turntable close");
  fail("rotor open");
  await device.initialize(configuration);
  expect(faults).toEqual([hardware("motors.turntable"), hardware("motors.rotor")]);
  faults.length = 0;
  fail("ring write");
  await device.idle();
  expect(faults).toEqual([hardware("lights.ring")]);
});

test("what users do is no fault: cancelled, busy, refused, not there", async () => {
  const { device, clock, faults, hang } = await start();
  const motor = device.motor("rotor");
  hang("rotor move");
  const move = motor.moveTo(10);
  await expect(motor.moveTo(20)).rejects.toMatchObject({ code: "busy" });
  await Promise.all([
    expect(move).rejects.toMatchObject({ code: "cancelled" }),
    clock.advance(0),
    motor.stop(),
  ]);
  await expect(motor.moveTo(Number.NaN)).rejects.toMatchObject({ code: "out_of_range" });
  await expect(device.camera("eye").capture({ format: "dng" })).rejects.toMatchObject({
    code: "bad_request",
  });
  hang("eye capture");
  const abort = new AbortController();
  const capture = device.camera("eye").capture({ format: "jpeg", signal: abort.signal });
  abort.abort();
  await expect(capture).rejects.toMatchObject({ code: "cancelled" });
  await device.close();
  await expect(device.moveTo({ theta: 1, fi: 1 })).rejects.toMatchObject({ code: "offline" });
  expect(faults).toEqual([]);
});
