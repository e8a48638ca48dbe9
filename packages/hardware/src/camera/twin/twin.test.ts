import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { CameraSettings, ScanError } from "@openscan/protocol";
import { silentLogger, workerUrl } from "@openscan/runtime";
import sharp from "sharp";
import { afterAll, expect, test } from "vitest";
import { Twin } from "./twin.js";
import { previewSize, stillSize, type TwinView } from "./view.js";

const twin = new Twin({ log: silentLogger });
afterAll(() => twin.close());

const view = (rest: Partial<TwinView> = {}, settings: object = {}): TwinView => ({
  theta: 60,
  fi: 40,
  radiusMm: 110,
  light: 1,
  width: 160,
  height: 120,
  seed: 5,
  settings: CameraSettings.parse(settings),
  ...rest,
});

test("a photo is a JPEG of the cropped size, the same for the same view and seed", async () => {
  const photo = await twin.still(view());
  expect(photo).toMatchObject({ width: 144, height: 108, intrinsics: { cx: 72, cy: 54 } });
  expect(await sharp(photo.bytes).metadata()).toMatchObject({ format: "jpeg", width: 144, height: 108 });
  expect(photo.focusDioptres).toBeGreaterThan(9);
  expect((await twin.still(view())).bytes).toEqual(photo.bytes);
  expect((await twin.still(view({ seed: 6 }))).bytes).not.toEqual(photo.bytes);
});

test("a refused picture is refused with its reason, and the next one works", async () => {
  await expect(twin.still(view({ width: 8 }))).rejects.toMatchObject({
    code: "out_of_range",
    message: "picture size 8x120 must be from 16x16 to 4656x3496",
  });
  await expect(twin.still(view({ fi: Number.NaN }))).rejects.toThrow(
    new ScanError("out_of_range", "simulated camera: fi must be a number, not NaN"),
  );
  await expect(twin.preview(view({ radiusMm: Number.NaN }))).rejects.toMatchObject({ code: "out_of_range" });
  expect((await twin.still(view())).width).toBe(144);
});

test("a photo that is no longer wanted fails with the reason", async () => {
  const abort = new AbortController();
  const photo = twin.still(view(), abort.signal);
  abort.abort(new ScanError("cancelled", "scan cancelled"));
  await expect(photo).rejects.toMatchObject({ code: "cancelled" });
});

test("a preview is small, whatever the photo's size", async () => {
  const jpeg = await twin.preview(view({ width: 2000, height: 1500 }));
  expect(await sharp(jpeg).metadata()).toMatchObject({ format: "jpeg", width: 288, height: 216 });
});

test("all who ask while a frame is rendered get that frame", async () => {
  const [first, second, third] = await Promise.all([10, 20, 30].map((fi) => twin.preview(view({ fi }))));
  expect(second).toBe(first);
  expect(third).toBe(first);
  expect(await twin.preview(view({ fi: 30 }))).not.toEqual(first);
});

test("a resting scene is not rendered again, one that changes is", async () => {
  const jpeg = await twin.preview(view());
  expect(await twin.preview(view({ seed: 99 }))).toBe(jpeg);
  expect(await twin.preview(view({ fi: 40.01 }))).toBe(jpeg);
  expect(await twin.preview(view({ fi: 41 }))).not.toEqual(jpeg);
  expect(await twin.preview(view({ light: 0.5 }))).not.toEqual(jpeg);
  expect(await twin.preview(view({}, { shutter: 20 }))).not.toEqual(jpeg);
  expect(await twin.preview(view())).toEqual(jpeg);
});

test("previews do not wait for photos", async () => {
  const order: string[] = [];
  const photo = twin.still(view({ width: 1280, height: 960, fi: 3 })).then(() => order.push("photo"));
  await twin.preview(view({ fi: 77 }));
  order.push("preview");
  await photo;
  expect(order).toEqual(["preview", "photo"]);
});

test("closing fails what is under way and all after it", async () => {
  const closing = new Twin({ log: silentLogger });
  const results = Promise.allSettled([closing.still(view()), closing.preview(view())]);
  await closing.close();
  for (const result of await results) {
    expect(result).toMatchObject({ status: "rejected", reason: { code: "offline" } });
  }
  await expect(closing.still(view())).rejects.toMatchObject({ code: "offline" });
});

test("an idle camera does not keep its process alive, a photo under way does", async () => {
  const program = `
    import { Twin } from ${JSON.stringify(workerUrl(import.meta.url, "./index.js").href)};
    const log = { warn: console.error };
    const { width } = await new Twin({ log }).still(${JSON.stringify(view({ width: 64, height: 64 }))});
    console.log("took a picture", width);
  `;
  const run = promisify(execFile);
  const { stdout } = await run(process.execPath, ["--input-type=module", "-e", program], { timeout: 14_000 });
  expect(stdout).toBe("took a picture 58\n");
});

test("sizes: the settings', or 1280x960 and 320x240; previews at most 640 pixels", () => {
  expect(stillSize({ photo_resolution: null })).toEqual([1280, 960]);
  expect(stillSize({ photo_resolution: [640, 480] })).toEqual([640, 480]);
  expect(previewSize({ preview_resolution: null })).toEqual([320, 240]);
  expect(previewSize({ preview_resolution: [200, 100] })).toEqual([200, 100]);
  expect(previewSize({ preview_resolution: [2028, 1520] })).toEqual([640, 480]);
});
