import { silentLogger, systemClock } from "@openscan/runtime";
import { settle } from "@openscan/runtime/testing";
import sharp from "sharp";
import { expect, test } from "vitest";
import { type Camera, Device } from "../src/index.js";
import { configurationOf, rotorSettings, tableSettings } from "./support.js";
import { readTiff } from "./tiff-reader.js";

// The real thing: real time, real threads, real pictures. `dist` must be built, since workers run from it.
const fast = { acceleration: 80_000, max_speed: 7500, steps_per_rotation: 800 };

/** Means of what is neither dark nor saturated in a photo. */
async function colours(camera: Camera) {
  const { bytes } = await camera.capture({ format: "jpeg", seed: 1 });
  const pixels = await sharp(bytes).raw().toBuffer();
  const sums = [0, 0, 0];
  for (let at = 0; at < pixels.length; at += 3) {
    const pixel = pixels.subarray(at, at + 3);
    if ((pixel[1] ?? 0) < 12 || Math.max(...pixel) > 245) continue;
    for (const colour of [0, 1, 2]) sums[colour]! += pixel[colour]!;
  }
  return { red: sums[0]!, blue: sums[2]! };
}

test("a photo shows where the turntable is and whether the light is on", { timeout: 60_000 }, async () => {
  const device = new Device({ clock: systemClock, log: silentLogger });
  try {
    await device.initialize(
      configurationOf({
        motors: { rotor: { ...rotorSettings, ...fast }, turntable: { ...tableSettings, ...fast } },
        cameras: {
          camera: {
            type: "picamera2",
            path: "simulated",
            settings: {
              photo_resolution: [160, 120],
              preview_resolution: [160, 120],
              crop_width: 0,
              crop_height: 0,
            },
          },
        },
      }),
    );
    const camera = device.camera("camera");
    const shoot = async () => {
      const { bytes, rawMetadata } = await camera.capture({ format: "jpeg", seed: 1 });
      const { width, height, format } = await sharp(bytes).metadata();
      expect([format, width, height]).toEqual(["jpeg", 160, 120]);
      const { channels } = await sharp(bytes).stats();
      return { bytes: Buffer.from(bytes), rawMetadata, brightness: channels[1]?.mean ?? 0 };
    };

    const before = await shoot();
    expect((await shoot()).bytes.equals(before.bytes)).toBe(true);
    await device.moveTo({ theta: 90, fi: 130 });
    const after = await shoot();
    expect(after.bytes.equals(before.bytes)).toBe(false);
    expect(after.rawMetadata).toMatchObject({
      ExposureTime: 50_000,
      Simulated: { theta: 90, fi: expect.closeTo(129.6, 6) as number },
    });

    const dng = await camera.capture({ format: "dng" });
    expect(dng).toMatchObject({ mediaType: "image/x-adobe-dng", extension: ".dng" });
    const { values } = readTiff(dng.bytes);
    expect([values.get(0x0100), values.get(0x0101), values.get(0x0112)]).toEqual([[160], [120], [8]]);

    await camera.settings.update({ awbg_red: 3, awbg_blue: 1 });
    const cast = await colours(camera);
    expect(cast.red / cast.blue).toBeGreaterThan(1.3);
    const found = await camera.calibrateWhiteBalance({
      warmupFrames: 4,
      stableFrames: 3,
      eps: 0.02,
      timeoutMs: 30_000,
    });
    expect(camera.settings.get()).toMatchObject({ awbg_red: found.red, awbg_blue: found.blue });
    const balanced = await colours(camera);
    expect(balanced.red / balanced.blue).toBeGreaterThan(0.93);
    expect(balanced.red / balanced.blue).toBeLessThan(1.07);
    await camera.restart();
    expect((await shoot()).brightness).toBeGreaterThan(0);

    await device.idle();
    await camera.settings.update({ shutter: 1 });
    await expect(
      camera.calibrateWhiteBalance({ warmupFrames: 0, stableFrames: 1, eps: 0.1, timeoutMs: 300 }),
    ).rejects.toMatchObject({ code: "timeout" });
    await camera.settings.update({ shutter: 50 });
    expect((await shoot()).brightness).toBeLessThan(before.brightness / 4);
    const preview = await camera.preview();
    expect((await sharp(preview).metadata()).format).toBe("jpeg");

    const lost = expect(camera.capture({ format: "jpeg" })).rejects.toMatchObject({ code: "offline" });
    await settle();
    await device.close();
    await lost;
  } finally {
    await device.close();
  }
});
