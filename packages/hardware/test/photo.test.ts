import { silentLogger, systemClock } from "@openscan/runtime";
import { settle } from "@openscan/runtime/testing";
import sharp from "sharp";
import { expect, test } from "vitest";
import { Device } from "../src/index.js";
import { configurationOf, rotorSettings, tableSettings } from "./support.js";

// The real thing: real time, real threads, real pictures. `dist` must be built, since workers run from it.
const fast = { acceleration: 80_000, max_speed: 7500, steps_per_rotation: 800 };

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

    await device.idle();
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
