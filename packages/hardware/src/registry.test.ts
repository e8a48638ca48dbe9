import { LightSettings } from "@openscan/protocol";
import { FakeClock, recordingLogger } from "@openscan/runtime/testing";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { defineCameraDriver, defineLightDriver } from "./define.js";
import { DriverRegistry } from "./registry.js";
import { simulatedDrivers } from "./simulated-drivers.js";

const opened: unknown[] = [];
const blinker = defineLightDriver({
  kind: "blinker",
  settings: z.object({ hertz: z.number().positive().default(2), port: z.string() }),
  open: async (settings, { name }) => {
    opened.push([name, settings]);
    return { configure: async () => {}, write: async () => {}, close: async () => {} };
  },
});
const registry = new DriverRegistry([blinker, ...simulatedDrivers()], "simulated");
const context = {
  name: "ring",
  settings: LightSettings.parse({ pins: [1] }),
  scanRadiusMm: 110,
  clock: new FakeClock(),
  log: recordingLogger(),
};

test("a driver is picked by its kind and opened with its settings, defaults filled in", async () => {
  const open = registry.resolve("light", "ring", { kind: "blinker", port: "/dev/x" });
  expect(opened).toEqual([]);
  await open(context);
  expect(opened).toEqual([["ring", { hertz: 2, port: "/dev/x" }]]);
});

test("without a choice it is the default kind", async () => {
  const light = await registry.resolve("light", "ring")(context);
  await light.write(true, 1);
});

describe("what is wrong is named before anything is opened", () => {
  test.each([
    [{ kind: "laser" }, `light "ring": there is no driver "laser", only blinker, simulated`],
    [{ kind: "blinker", port: 5 }, `light "ring": driver blinker: `],
    [{ kind: "blinker" }, "port"],
  ])("%j", (choice, message) => {
    expect(() => registry.resolve("light", "ring", choice)).toThrow(
      expect.objectContaining({ code: "invalid", message: expect.stringContaining(message) as string }),
    );
  });

  test("a driver of another component does not fit", () => {
    expect(() => registry.resolve("motor", "rotor", { kind: "blinker" })).toThrow("there is no driver");
  });
});

test("the settings of all drivers are available as JSON Schema", () => {
  const schemas = registry.schemas();
  expect(Object.keys(schemas)).toEqual(["camera", "motor", "light", "trigger", "endstop"]);
  expect(schemas.light).toMatchObject({
    blinker: { type: "object", required: ["port"], properties: { hertz: { type: "number", default: 2 } } },
    simulated: { type: "object" },
  });
  expect(schemas.motor).toMatchObject({ simulated: { properties: { start_angle: { default: 90 } } } });
});

test("cameras are detected by every driver that can, with the driver that found them", async () => {
  const usb = defineCameraDriver({
    kind: "usb",
    settings: z.object({}),
    open: () => Promise.reject(new Error("not opened here")),
    detect: async () => ({ "EOS 100": { type: "gphoto2", path: "usb:1" } }),
  });
  const blind = defineCameraDriver({
    kind: "blind",
    settings: z.object({}),
    open: () => Promise.reject(new Error("not opened here")),
    detect: () => Promise.reject(new Error("no bus")),
  });
  const log = recordingLogger();
  const registry = new DriverRegistry([blind, usb, ...simulatedDrivers()], "simulated");
  expect(await registry.detectCameras(log)).toEqual({
    "EOS 100": { type: "gphoto2", path: "usb:1", driver: { kind: "usb" } },
    simulated_camera: { type: "picamera2", path: "simulated", driver: { kind: "simulated" } },
  });
  expect(log.lines).toMatchObject([{ level: "error", fields: { driver: "blind" } }]);
});
