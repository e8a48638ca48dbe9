import { ScanError } from "@openscan/protocol";
import { FakeClock, settle } from "@openscan/runtime/testing";
import sharp from "sharp";
import { describe, expect, test } from "vitest";
import { cameraSettings } from "../../test/support.js";
import { fault } from "../fault.js";
import { Camera } from "./camera.js";
import type { CameraDriver, Shot } from "./driver.js";

const shot: Shot = { format: "jpeg", bytes: new Uint8Array([255, 216]), rawMetadata: {} };
const photo = {
  ...shot,
  mediaType: "image/jpeg",
  extension: ".jpg",
  settings: cameraSettings,
};

/** A camera whose driver does nothing until the test lets it. */
function create(driver: Partial<CameraDriver> = {}) {
  const clock = new FakeClock();
  const log: string[] = [];
  const steps: Array<{
    resolve: () => void;
    reject: (error: Error) => void;
    signal: AbortSignal | undefined;
  }> = [];
  const wait = (what: string, signal?: AbortSignal) =>
    new Promise<void>((resolve, reject) => {
      log.push(what);
      steps.push({ resolve, reject, signal });
    });
  const camera = new Camera({
    name: "camera",
    type: "picamera2",
    settings: cameraSettings,
    clock,
    fault: (cause) => fault("camera camera", cause),
    changed: (part) => log.push(part === "busy" ? `busy ${camera.status().busy}` : part),
    driver: {
      formats: ["jpeg"],
      configure: async () => void log.push("configure"),
      capture: async ({ signal, seed }) => {
        await wait(`capture ${seed}`, signal);
        return shot;
      },
      preview: async (signal) => {
        await wait("preview", signal);
        return new Uint8Array([steps.length]);
      },
      close: async () => void log.push("close"),
      ...driver,
    },
  });
  /** Lets what the driver is doing succeed. */
  const finish = async () => {
    steps.shift()?.resolve();
    await settle();
  };
  return { clock, camera, log, steps, finish };
}

describe("a capture", () => {
  test("makes the camera busy from request to result", async () => {
    const { clock, camera, log, finish } = create();
    const capture = camera.capture({ format: "jpeg", seed: 7 });
    expect(camera.status().busy).toBe(true);
    await settle();
    await finish();
    expect(await capture).toEqual(photo);
    expect(log).toEqual(["busy true", "capture 7", "busy false"]);
    expect(clock.pending).toBe(0);
  });

  test("waits for those before it; the camera stays busy without flicker", async () => {
    const { camera, log, finish } = create();
    const captures = [1, 2].map((seed) => camera.capture({ format: "jpeg", seed }));
    await settle();
    expect(log).toEqual(["busy true", "capture 1"]);
    await finish();
    expect(log).toEqual(["busy true", "capture 1", "capture 2"]);
    await finish();
    await Promise.all(captures);
    expect(log.at(-1)).toBe("busy false");
  });

  test("is refused when too many wait", async () => {
    const { camera, finish } = create();
    const captures = Array.from({ length: 17 }, () => camera.capture({ format: "jpeg" }));
    await settle();
    await expect(camera.capture({ format: "jpeg" })).rejects.toMatchObject({ code: "busy" });
    for (const _ of captures) await finish();
    await Promise.all(captures);
    expect(camera.status().busy).toBe(false);
  });

  test("in a format that the camera has not is a bad request", async () => {
    const { camera, log } = create();
    await expect(camera.capture({ format: "dng" })).rejects.toMatchObject({
      code: "bad_request",
      message: "camera camera delivers jpeg, not dng",
    });
    expect(log).toEqual([]);
  });

  test.each([
    [new Error("no light"), { code: "hardware_fault", message: "camera camera: no light" }],
    [new ScanError("out_of_range", "crop too narrow"), { code: "out_of_range" }],
  ])("that fails (%s) leaves the camera usable", async (error, expected) => {
    const { camera, steps, finish } = create();
    const failed = expect(camera.capture({ format: "jpeg" })).rejects.toMatchObject(expected);
    await settle();
    steps.shift()?.reject(error);
    await failed;
    expect(camera.status().busy).toBe(false);
    const next = camera.capture({ format: "jpeg" });
    await settle();
    await finish();
    expect(await next).toEqual(photo);
  });

  test("takes twice its exposure and a minute at most; then the driver is told to give up", async () => {
    const { clock, camera, steps } = create();
    await camera.settings.update({ shutter: 10_000 });
    const capture = camera.capture({ format: "jpeg" });
    const failed = expect(capture).rejects.toMatchObject({
      code: "timeout",
      message: "camera camera did not answer within 80000 ms",
    });
    await clock.advance(79_999);
    expect(steps[0]?.signal?.aborted).toBe(false);
    await clock.advance(1);
    expect(steps[0]?.signal?.aborted).toBe(true);
    expect(camera.status().busy).toBe(true);
    steps[0]?.reject(new Error("gave up"));
    await failed;
    expect(camera.status().busy).toBe(false);
  });

  test("of a driver that is dead for good does not block the next one for ever", async () => {
    const { clock, camera, log } = create();
    const failed = expect(camera.capture({ format: "jpeg" })).rejects.toMatchObject({ code: "timeout" });
    const next = camera.capture({ format: "jpeg", seed: 2 });
    next.catch(() => {});
    await clock.advance(60_100 + 5000);
    await failed;
    expect(log).toContain("capture 2");
  });

  test("cancelled while it waits leaves the queue, cancelled in work waits for the driver", async () => {
    const { camera, log, steps, finish } = create();
    const abort = new AbortController();
    const first = camera.capture({ format: "jpeg", seed: 1, signal: abort.signal });
    const second = camera.capture({ format: "jpeg", seed: 2, signal: abort.signal });
    const both = Promise.all(
      [first, second].map((capture) => expect(capture).rejects.toMatchObject({ code: "cancelled" })),
    );
    const third = camera.capture({ format: "jpeg", seed: 3 });
    await settle();
    abort.abort(new Error("enough"));
    await settle();
    expect(steps[0]?.signal?.aborted).toBe(true);
    expect(log).toEqual(["busy true", "capture 1"]);
    await finish();
    await both;
    await finish();
    expect(await third).toEqual(photo);
    expect(log).toEqual(["busy true", "capture 1", "capture 3", "busy false"]);
  });
});

describe("a preview", () => {
  test("is made once for all who ask meanwhile, and never makes the camera busy", async () => {
    const { camera, log, finish } = create();
    const frames = [camera.preview(), camera.preview(), camera.preview()];
    await settle();
    expect(camera.status().busy).toBe(false);
    await finish();
    const [first, ...others] = await Promise.all(frames);
    expect(others).toEqual([first, first]);
    const next = camera.preview();
    await settle();
    await finish();
    await next;
    expect(log).toEqual(["preview", "preview"]);
  });

  test("goes on for the others when one viewer leaves", async () => {
    const { camera, finish } = create();
    const abort = new AbortController();
    const leaving = expect(camera.preview(abort.signal)).rejects.toMatchObject({ code: "cancelled" });
    const staying = camera.preview();
    await settle();
    abort.abort();
    await leaving;
    await finish();
    expect(await staying).toBeInstanceOf(Uint8Array);
  });

  test("is skipped while a photo has the camera; a photo waits for a preview", async () => {
    const { camera, log, finish } = create();
    const preview = camera.preview();
    const capture = camera.capture({ format: "jpeg" });
    await expect(camera.preview()).rejects.toMatchObject({ code: "busy" });
    await settle();
    expect(log).toEqual(["busy true", "preview"]);
    await finish();
    await preview;
    await expect(camera.preview()).rejects.toMatchObject({ code: "busy" });
    await finish();
    await capture;
  });

  test("that fails is forgotten", async () => {
    const { camera, steps, finish } = create();
    const failed = expect(camera.preview()).rejects.toMatchObject({ code: "hardware_fault" });
    await settle();
    steps.shift()?.reject(new Error("no frame"));
    await failed;
    const next = camera.preview();
    await settle();
    await finish();
    await next;
  });

  test("has its time limit too", async () => {
    const { clock, camera } = create();
    const failed = expect(camera.preview()).rejects.toMatchObject({ code: "timeout" });
    await clock.advance(35_000);
    await failed;
  });
});

describe("settings", () => {
  test("are busy while they are applied, then announced", async () => {
    const { camera, log } = create();
    await camera.settings.update({ gain: 2 });
    expect(log).toEqual(["busy true", "configure", "busy false", "settings"]);
  });

  test("wait for the photo being taken", async () => {
    const { camera, log, finish } = create();
    const capture = camera.capture({ format: "jpeg", seed: 1 });
    const update = camera.settings.update({ AF: false, manual_focus: 8 });
    await settle();
    expect(log).toEqual(["busy true", "capture 1"]);
    await finish();
    await capture;
    expect(await update).toMatchObject({ AF: false, manual_focus: 8 });
  });

  test("that the camera refuses do not leave it busy", async () => {
    const { camera } = create({ configure: () => Promise.reject(new Error("no")) });
    await expect(camera.settings.update({ gain: 2 })).rejects.toMatchObject({ code: "invalid" });
    expect(camera.status()).toMatchObject({ busy: false, settings: cameraSettings });
  });
});

describe("white balance", () => {
  const search = { warmupFrames: 1, stableFrames: 1, eps: 0.1, timeoutMs: 2000 };

  test("is found under the lock and becomes the settings; busy throughout, and free again", async () => {
    const { camera, log, finish } = create({
      calibrateWhiteBalance: async () => {
        log.push("calibrate");
        return { red: 2.5, blue: 1.25 };
      },
    });
    const capture = camera.preview();
    const found = camera.calibrateWhiteBalance(search);
    await settle();
    expect(log).toEqual(["busy true", "preview"]);
    await finish();
    await capture;
    expect(await found).toEqual({ red: 2.5, blue: 1.25 });
    expect(log).toEqual(["busy true", "preview", "calibrate", "configure", "settings", "busy false"]);
    expect(camera.settings.get()).toMatchObject({ awbg_red: 2.5, awbg_blue: 1.25, gain: 1 });
  });

  test("is refused by a busy camera, and by one that has none", async () => {
    const { camera, finish } = create({ calibrateWhiteBalance: async () => undefined });
    const capture = camera.capture({ format: "jpeg" });
    await expect(camera.calibrateWhiteBalance(search)).rejects.toMatchObject({ code: "busy" });
    await settle();
    await finish();
    await capture;
    await expect(create().camera.calibrateWhiteBalance(search)).rejects.toMatchObject({
      code: "unsupported",
      message: "camera camera (picamera2) has no automatic white balance",
    });
  });

  test.each([
    ["finds nothing", async () => undefined, { code: "timeout" }],
    ["breaks", () => Promise.reject(new Error("no ISP")), { code: "hardware_fault" }],
    ["finds what the settings do not allow", async () => ({ red: 99, blue: 1 }), { code: "invalid" }],
  ])(
    "D11: a search that %s changes nothing and leaves the camera free",
    async (_, calibrateWhiteBalance, error) => {
      const { camera, log } = create({ calibrateWhiteBalance });
      await expect(camera.calibrateWhiteBalance(search)).rejects.toMatchObject(error);
      expect(camera.status()).toMatchObject({ busy: false, settings: cameraSettings });
      expect(log.filter((line) => line !== "configure")).toEqual(["busy true", "busy false"]);
    },
  );

  test("nobody keeps the camera for hours", async () => {
    const limits: number[] = [];
    const { camera } = create({
      calibrateWhiteBalance: async ({ timeoutMs }) => void limits.push(timeoutMs),
    });
    await expect(camera.calibrateWhiteBalance({ ...search, timeoutMs: 1e300 })).rejects.toBeDefined();
    expect(limits).toEqual([60_000]);
  });
});

describe("a restart", () => {
  test("comes after what was asked for before, and previews skip it", async () => {
    const { camera, log, finish } = create({ restart: async () => void log.push("restart") });
    const capture = camera.capture({ format: "jpeg", seed: 1 });
    const restarted = camera.restart();
    await expect(camera.preview()).rejects.toMatchObject({ code: "busy" });
    await settle();
    await finish();
    await Promise.all([capture, restarted]);
    expect(log).toEqual(["busy true", "capture 1", "restart", "busy false"]);
  });

  test("D10: of a camera that has none is unsupported", async () => {
    await expect(create().camera.restart()).rejects.toMatchObject({ code: "unsupported" });
  });

  test("that fails or hangs leaves the camera free", async () => {
    const { camera } = create({ restart: () => Promise.reject(new Error("unplugged")) });
    await expect(camera.restart()).rejects.toMatchObject({ code: "hardware_fault" });
    const hanging = create({ restart: () => new Promise(() => {}) });
    const failed = expect(hanging.camera.restart()).rejects.toMatchObject({ code: "timeout" });
    await hanging.clock.advance(35_000);
    await failed;
    expect([camera.status().busy, hanging.camera.status().busy]).toEqual([false, false]);
  });
});

describe("viewers", () => {
  const watch = (camera: ReturnType<typeof create>["camera"], fps = 10) => {
    const abort = new AbortController();
    const frames: number[] = [];
    const ended = camera.watch({
      fps,
      signal: abort.signal,
      isReady: () => true,
      show: ([frame = 0]) => void frames.push(frame),
    });
    ended.catch(() => {});
    return { frames, ended, leave: () => abort.abort() };
  };
  const instant = { preview: async () => new Uint8Array([1]) };

  test("D4: see frames that no event tells of; their stream outlives a photo and changed settings", async () => {
    const { clock, camera, log, finish } = create(instant);
    const { frames, ended, leave } = watch(camera);
    await clock.advance(250);
    expect(frames).toHaveLength(3);
    expect(log).toEqual([]);
    const capture = camera.capture({ format: "jpeg", seed: 1 });
    await clock.advance(500);
    expect(frames).toHaveLength(3);
    await finish();
    await capture;
    await camera.settings.update({ gain: 2 });
    await clock.advance(100);
    expect(frames.length).toBeGreaterThan(3);
    leave();
    await ended;
  });

  test("see the end when the camera fails or is closed", async () => {
    const broken = create({ preview: () => Promise.reject(new Error("cable")) });
    await expect(watch(broken.camera).ended).rejects.toMatchObject({ code: "hardware_fault" });
    const { clock, camera } = create(instant);
    const { ended } = watch(camera, 1);
    await clock.advance(10);
    await camera.close();
    await expect(ended).rejects.toMatchObject({ code: "offline" });
    await settle();
    expect(clock.pending).toBe(0);
    expect(() => watch(camera)).toThrow("camera camera is closed");
  });
});

describe("a photo", () => {
  const jpeg = () =>
    sharp({ create: { width: 32, height: 16, channels: 3, background: "teal" } })
      .jpeg()
      .toBuffer();

  test("of whatever driver has the orientation of its settings, and the camera's name", async () => {
    const bytes = await jpeg();
    const { camera } = create({ capture: async () => ({ ...shot, bytes }) });
    await camera.settings.update({ orientation_flag: 6 });
    const taken = await camera.capture({ format: "jpeg" });
    const { orientation, exif, width } = await sharp(taken.bytes).metadata();
    expect({ orientation, width }).toEqual({ orientation: 6, width: 32 });
    expect(exif?.toString("latin1")).toContain("camera\0");
    expect(taken.settings.orientation_flag).toBe(6);
    expect(taken).not.toHaveProperty("facts");
  });

  test("of a raw format is of the kind that the camera says", async () => {
    const bytes = new Uint8Array([1, 2, 3]);
    const { camera } = create({
      formats: ["jpeg", "dng"],
      capture: async () => ({ format: "raw", bytes, rawMetadata: { capture_name: "IMG_1.CR3" } }),
    });
    expect(await camera.capture({ format: "dng" })).toMatchObject({
      format: "raw",
      mediaType: "image/x-canon-cr3",
      extension: ".cr3",
      bytes,
    });
  });
});

test("D11: setting the manual focus to null, in any way, neither hangs nor leaves the camera busy", async () => {
  const { camera } = create();
  await camera.settings.update({ AF: false, manual_focus: 8 });
  expect(await camera.settings.update({ manual_focus: null })).toMatchObject({ manual_focus: 8 });
  expect(await camera.settings.replace({ AF: false, manual_focus: null })).toMatchObject({
    manual_focus: null,
  });
  expect(camera.status().busy).toBe(false);
});

test("closing ends what is under way; everything else is offline", async () => {
  const { camera, log, steps } = create();
  const running = expect(camera.capture({ format: "jpeg" })).rejects.toMatchObject({ code: "offline" });
  const waiting = expect(camera.capture({ format: "jpeg" })).rejects.toMatchObject({ code: "offline" });
  await settle();
  const closed = camera.close();
  steps[0]?.reject(new Error("aborted"));
  await Promise.all([running, waiting, closed, camera.close()]);
  expect(log.filter((line) => line === "close")).toHaveLength(1);
  expect(camera.status().busy).toBe(false);
  await expect(camera.capture({ format: "jpeg" })).rejects.toMatchObject({ code: "offline" });
  await expect(camera.preview()).rejects.toMatchObject({ code: "offline" });
  await expect(camera.settings.update({ gain: 1 })).rejects.toMatchObject({ code: "offline" });
});

describe("a driver that hangs while it is given settings", () => {
  const hanging = () => create({ configure: () => new Promise(() => {}) });

  test("is given up, and the camera is free again", async () => {
    const { camera, clock } = hanging();
    await expect(clock.run(camera.settings.update({ gain: 2 }))).rejects.toMatchObject({
      message: expect.stringContaining("did not take its settings"),
    });
    expect(camera.status()).toMatchObject({ busy: false, settings: { gain: 1 } });
  });

  test("does not keep the camera from closing", async () => {
    const { camera, clock, log } = hanging();
    const update = expect(camera.settings.update({ gain: 2 })).rejects.toBeDefined();
    await settle();
    await clock.run(camera.close());
    await update;
    expect(log.at(-1)).toBe("close");
  });
});
