import { FakeClock, recordingLogger } from "@openscan/runtime/testing";
import sharp from "sharp";
import { describe, expect, test } from "vitest";
import { cameraSettings, fakeRenderer } from "../../../test/support.js";
import { SimulatedWorld } from "../../simulated-world.js";
import { simulatedCamera, type CreateRenderer } from "./simulated.js";

async function open(options: object = {}, scanRadiusMm = 110, create?: CreateRenderer) {
  const world = new SimulatedWorld();
  const renderer = fakeRenderer();
  const clock = new FakeClock();
  const opened = simulatedCamera(world, create ?? renderer.create).parse(options);
  if (!opened.success) throw opened.error;
  const context = { name: "camera", settings: cameraSettings, scanRadiusMm, clock, log: recordingLogger() };
  const driver = await opened.data(context);
  return { world, clock, driver, renderer: renderer.state };
}
const request = { signal: new AbortController().signal, seed: undefined };

test("sees where the motors stand and whether a light is lit", async () => {
  const { world, clock, driver, renderer } = await open();
  let fi = 20;
  world.place("rotor", () => 60);
  world.place("turntable", () => fi);
  world.shine("Ring light", true);
  await clock.advance(5);
  const photo = await driver.capture({ ...request, format: "jpeg", seed: 3 });
  expect(photo).toMatchObject({ format: "jpeg", mediaType: "image/jpeg", extension: ".jpg" });
  expect(Buffer.from(photo.bytes).toString()).toBe("60.00 20.00 1");
  expect(photo.rawMetadata).toEqual({
    ExposureTime: 50_000,
    AnalogueGain: 1,
    ColourGains: [1.8, 1.8],
    LensPosition: 9.5,
    FocalLengthPixels: 965,
    PrincipalPoint: [640, 480],
    ImageSize: [1280, 960],
    SensorTimestamp: 5_000_000,
    Simulated: { theta: 60, fi: 20, r: 110, light: 1, seed: 3 },
  });
  fi = 21;
  world.shine("Ring light", false);
  expect(Buffer.from(await driver.preview(request.signal)).toString()).toBe("60.00 21.00 0");
  expect(renderer.views).toHaveLength(2);
});

test.each([
  [{}, 150, 150],
  [{}, 1, 110],
  [{ radius_mm: 90 }, 150, 90],
])("with %j and a configured radius of %d mm it is %d mm away", async (options, configured, radiusMm) => {
  const { driver, renderer } = await open(options, configured);
  await driver.preview(request.signal);
  expect(renderer.views[0]).toMatchObject({ radiusMm, depthBlur: true });
});

test("settings are those of the next picture; nulls are reported as what the camera takes for them", async () => {
  const { driver, renderer } = await open({ depth_blur: false });
  await driver.configure({ ...cameraSettings, shutter: null, gain: null, photo_resolution: [640, 480] });
  const { rawMetadata } = await driver.capture({ ...request, format: "jpeg" });
  expect(renderer.views[0]).toMatchObject({ width: 640, height: 480, depthBlur: false });
  expect(rawMetadata).toMatchObject({ ExposureTime: 50_000, AnalogueGain: 1 });
});

test("each photo without a seed has noise of its own", async () => {
  const { driver, renderer } = await open();
  await driver.capture({ ...request, format: "jpeg" });
  await driver.capture({ ...request, format: "jpeg" });
  expect(renderer.views.map(({ seed }) => seed)).toEqual([0, 1]);
});

describe("arrays", () => {
  test.each([
    ["rgb_array", "(4, 6, 3)"],
    ["yuv_array", "(6, 6)"],
  ] as const)("%s is decoded from the picture, as NumPy file of shape %s", async (format, shape) => {
    const jpeg = await sharp({ create: { width: 6, height: 4, channels: 3, background: "red" } })
      .jpeg()
      .toBuffer();
    const qualities: unknown[] = [];
    const fake = fakeRenderer();
    const { driver } = await open({}, 110, async () => ({
      ...(await fake.create()),
      still: async ({ settings }) => {
        qualities.push(settings.jpeg_quality);
        return { jpeg, width: 6, height: 4, focusDioptres: 9, intrinsics: { f: 1, cx: 3, cy: 2 } };
      },
    }));
    const photo = await driver.capture({ ...request, format });
    expect(photo).toMatchObject({ format, mediaType: "application/x-npy", extension: ".npy" });
    expect(Buffer.from(photo.bytes).toString("latin1")).toContain(`'shape': ${shape}`);
    expect(qualities).toEqual([100]);
  });
});

test("the renderer starts with the first picture; one that could not is tried again", async () => {
  const { create, state } = fakeRenderer();
  let attempts = 0;
  const { driver } = await open({}, 110, async () => {
    if (++attempts === 1) throw new Error("no threads left");
    return create();
  });
  expect(attempts).toBe(0);
  await expect(driver.preview(request.signal)).rejects.toThrow("no threads left");
  await driver.preview(request.signal);
  await driver.preview(request.signal);
  expect(attempts).toBe(2);
  await driver.close();
  expect(state.closed).toBe(true);
});

test("closing without a picture starts nothing", async () => {
  const { driver, renderer } = await open();
  await driver.close();
  expect(renderer.closed).toBe(false);
});
