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
  world.shine("Ring light", 1);
  await clock.advance(5);
  const photo = await driver.capture({ ...request, format: "jpeg", seed: 3 });
  expect(photo).toMatchObject({ format: "jpeg", facts: { exposureSeconds: 0.05, focalLengthMm: 4.28 } });
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
  world.shine("Ring light", 0);
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
        return { bytes: jpeg, width: 6, height: 4, focusDioptres: 9, intrinsics: { f: 1, cx: 3, cy: 2 } };
      },
    }));
    const photo = await driver.capture({ ...request, format });
    expect(photo.format).toBe(format);
    expect(Buffer.from(photo.bytes).toString("latin1")).toContain(`'shape': ${shape}`);
    expect(qualities).toEqual([100]);
  });
});

test.each(["dng", "raw"] as const)("%s is what the sensor saw, in a DNG", async (format) => {
  const { driver, renderer } = await open();
  const photo = await driver.capture({ ...request, format });
  expect(photo).toMatchObject({ format, rawMetadata: { capture_name: "simulated.dng", AnalogueGain: 1 } });
  expect(renderer.views[0]).toMatchObject({ encoding: "dng" });
});

test("D22: settings that leave nothing of the picture, or a size that the sensor has not, are refused", async () => {
  const { driver } = await open();
  for (const wrong of [
    { crop_width: 100 },
    { crop_height: 100 },
    { photo_resolution: [0, 5] as [number, number] },
    { photo_resolution: [9000, 7000] as [number, number] },
    { preview_resolution: [-1, 3] as [number, number] },
  ])
    await expect(
      driver.configure({ ...cameraSettings, ...wrong }),
      JSON.stringify(wrong),
    ).rejects.toMatchObject({
      code: "out_of_range",
    });
  await driver.configure({ ...cameraSettings, crop_width: 90, photo_resolution: [4656, 3496] });
});

test("a restart starts another renderer, with the same settings", async () => {
  const fakes = [fakeRenderer(), fakeRenderer()];
  let opened = 0;
  const { driver } = await open({}, 110, () => fakes[opened++]!.create());
  await driver.restart?.(request.signal);
  expect(opened).toBe(0);
  await driver.configure({ ...cameraSettings, gain: 3 });
  await driver.capture({ ...request, format: "jpeg" });
  await driver.restart?.(request.signal);
  expect(fakes.map(({ state }) => state.closed)).toEqual([true, false]);
  await driver.capture({ ...request, format: "jpeg" });
  expect(fakes[1]?.state.views[0]).toMatchObject({ settings: { gain: 3 } });
});

describe("automatic white balance", () => {
  const search = { warmupFrames: 2, stableFrames: 3, eps: 0.01, timeoutMs: 2000 };
  /** A grey wall under a lamp, as a sensor sees it that needs these gains. */
  const wall =
    (neutral: { red: number; blue: number }, brightness = 0.4): CreateRenderer =>
    async () => ({
      ...(await fakeRenderer().create()),
      preview: async ({ settings: { awbg_red, awbg_blue } }) => {
        const byte = (linear: number) =>
          Math.round(255 * Math.min(1, 1.055 * Math.max(0, linear) ** (1 / 2.4) - 0.055));
        const background = {
          r: byte((brightness * (awbg_red ?? 0)) / neutral.red),
          g: byte(brightness),
          b: byte((brightness * (awbg_blue ?? 0)) / neutral.blue),
        };
        return sharp({ create: { width: 64, height: 48, channels: 3, background } })
          .jpeg({ quality: 100, chromaSubsampling: "4:4:4" })
          .toBuffer();
      },
    });

  test.each([
    [{ red: 1.8, blue: 1.8 }, {}],
    [{ red: 2.6, blue: 1.2 }, {}],
    [
      { red: 1.1, blue: 3.2 },
      { awbg_red: 0, awbg_blue: 0.2, saturation: 0, contrast: 3 },
    ],
  ])("finds the gains %j under which grey is grey, wherever it starts", async (neutral, settings) => {
    const { driver } = await open({}, 110, wall(neutral));
    await driver.configure({ ...cameraSettings, ...settings });
    const found = await driver.calibrateWhiteBalance?.(search, request.signal);
    expect(found?.red).toBeGreaterThan(neutral.red * 0.97);
    expect(found?.red).toBeLessThan(neutral.red * 1.03);
    expect(found?.blue).toBeGreaterThan(neutral.blue * 0.97);
    expect(found?.blue).toBeLessThan(neutral.blue * 1.03);
  });

  test("finds nothing in the dark, however long it looks", async () => {
    const dark = wall({ red: 1.8, blue: 1.8 }, 0.001);
    const { clock, driver } = await open({}, 110, async (options) => {
      const renderer = await dark(options);
      return {
        ...renderer,
        preview: async (view) => {
          await clock.advance(100);
          return renderer.preview(view);
        },
      };
    });
    expect(await driver.calibrateWhiteBalance?.(search, request.signal)).toBeUndefined();
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
