import { CapturedPhoto, DeviceStatusEvent } from "@openscan/protocol";
import sharp from "sharp";
import { expect, test } from "vitest";
import type { Listener } from "./support/api.js";
import { startServer } from "./support/in-process.js";

const camera = "/v0.9/cameras/simulated_camera";
const events = (listener: Listener) => listener.messages.map((message) => DeviceStatusEvent.parse(message));

test("a photo of the simulated camera in each format is a file that others read", async () => {
  const { api } = await startServer();
  await api.call("PATCH", `${camera}/settings`, { orientation_flag: 6, photo_resolution: [64, 48] });
  const jpeg = await sharp(await api.bytes(`${camera}/photo`)).metadata();
  expect(jpeg).toMatchObject({ format: "jpeg", width: 64, height: 48, orientation: 6 });

  const dng = Buffer.from(await api.bytes(`${camera}/photo?image_format=dng`));
  expect(dng.subarray(0, 4).toString("latin1")).toBe("II*\0");
  expect(dng.length).toBeGreaterThan(64 * 48 * 2);

  const array = Buffer.from(await api.bytes(`${camera}/photo?image_format=rgb_array`));
  expect(array.toString("latin1")).toContain("'shape': (48, 64, 3)");
  expect(array.length - (10 + array.readUInt16LE(8))).toBe(48 * 64 * 3);

  for (const image_format of ["jpeg", "dng", "raw", "rgb_array", "yuv_array"]) {
    const { body } = await api.call(
      "GET",
      `/api/next/cameras/simulated_camera/photo?with_metadata=true&image_format=${image_format}`,
    );
    const { payload_url, media_type, format, camera_metadata } = CapturedPhoto.parse(body);
    expect(format).toBe(image_format);
    expect(camera_metadata).toMatchObject({
      camera_settings: { orientation_flag: 6 },
      raw_metadata: { ExposureTime: 50_000 },
    });
    const payload = await fetch(payload_url);
    expect(payload_url).toContain("/api/next/");
    expect([payload.status, payload.headers.get("Content-Type")]).toEqual([200, media_type]);
  }
});

test.each([
  ["dng", ".dng"],
  ["raw", ".dng"],
  ["rgb_array", ".npy"],
])("a scan in %s keeps such files; their sharpness is not measured", async (image_format, extension) => {
  const { api } = await startServer();
  const tasks = await api.listen("tasks", "/next", "?v=1&types=photo.captured");
  await api.startScan("Vase", { points: 1, image_format });
  const photo = await tasks.find(({ type }) => type === "photo.captured");
  expect(photo).toMatchObject({ file: `scan01_000${extension}`, sharpness: null });
  expect((await api.bytes(`/next${photo["url"] as string}`)).length).toBeGreaterThan(320 * 240);
});

test("ui-contract 5b: cameras are there before the device is configured, and can be looked through", async () => {
  const { api } = await startServer({ name: "Unknown device" });
  expect((await api.call("GET", "/v0.9/device/info")).status).toBe(503);
  const { body } = await api.call<Record<string, { settings: object }>>("GET", "/v0.9/cameras/");
  expect(body["simulated_camera"]).toMatchObject({ type: "picamera2", busy: false });
  const leave = new AbortController();
  const stream = await fetch(`${api.url}${camera}/preview?mode=stream`, { signal: leave.signal });
  const { value } = (await stream.body?.getReader().read()) ?? {};
  expect(Buffer.from(value ?? []).toString("latin1")).toMatch(/^--frame\r\n/);
  leave.abort();
  // When the wizard turns the picture, it drops the crop as well.
  const settings = { orientation_flag: 1, crop_width: 0, crop_height: 0 };
  expect((await api.call("PATCH", `${camera}/settings`, settings)).body).toMatchObject(settings);
});

test("white balance: found, told, and used for the next photo; the camera is free again", async () => {
  const { api } = await startServer();
  await api.call("PATCH", `${camera}/settings`, { awbg_red: 4, awbg_blue: 1 });
  const listener = await api.listen("device");
  const { status, body } = await api.call<{ red_gain: number; blue_gain: number }>(
    "POST",
    `${camera}/awb-calibration`,
    { timeout_s: 30, eps: 0.05 },
  );
  expect(status).toBe(200);
  expect(body.red_gain).toBeLessThan(3);
  expect(body.blue_gain).toBeGreaterThan(1.2);
  expect((await api.call("GET", `${camera}/settings`)).body).toMatchObject({
    awbg_red: body.red_gain,
    awbg_blue: body.blue_gain,
  });
  await listener.count(3, () => true);
  expect(
    events(listener).map(({ changed, device }) => [changed?.[0], device.cameras["simulated_camera"]?.busy]),
  ).toEqual([
    ["cameras.simulated_camera.busy", true],
    ["cameras.simulated_camera.settings", true],
    ["cameras.simulated_camera.busy", false],
  ]);
});

test("ui-contract 5: a single field is answered with all settings and pushed with its path", async () => {
  const { api } = await startServer();
  const listener = await api.listen("device", "/v0.9");
  const { body } = await api.call<Record<string, unknown>>("PATCH", `${camera}/settings`, { AF: false });
  expect(Object.keys(body)).toHaveLength(15);
  const push = await listener.find(
    ({ changed }) => (changed as string[] | null)?.[0] === "cameras.simulated_camera.settings",
  );
  expect(DeviceStatusEvent.parse(push).device.cameras["simulated_camera"]).toMatchObject({
    type: "picamera2",
    busy: false,
    settings: { AF: false },
  });
  // What the settings form sends: nine fields, unset ones as null.
  const form = {
    shutter: 40,
    saturation: 1,
    contrast: 1,
    gain: null,
    awbg_red: 2,
    awbg_blue: null,
    jpeg_quality: 80,
    crop_width: 0,
    crop_height: 0,
  };
  expect((await api.call("PATCH", `${camera}/settings`, form)).body).toMatchObject({
    shutter: 40,
    gain: 1,
    awbg_red: 2,
    awbg_blue: 1.8,
  });
});

test("ui-contract 5d: a photo after a restart; the body of both answers is as the UI wants it", async () => {
  const { api } = await startServer();
  const restarted = await fetch(`${api.url}${camera}/restart`, { method: "POST" });
  expect([restarted.status, await restarted.text()]).toEqual([200, ""]);
  const photo = await fetch(`${api.url}${camera}/photo?ts=1700000000000`, {
    cache: "no-store",
    headers: { Origin: api.url },
  });
  expect(photo.headers.get("Access-Control-Allow-Origin")).toBe("*");
  expect((await sharp(await photo.arrayBuffer()).metadata()).format).toBe("jpeg");
});

test("ui-contract 6: three streams in one tab at once, while the device answers and a photo is taken", async () => {
  const { api } = await startServer();
  const leave = new AbortController();
  const streams = await Promise.all(
    ["?mode=stream&fps=30", "?mode=stream", "?fps=10&mode=stream"].map((query) =>
      fetch(`${api.url}${camera}/preview${query}`, { signal: leave.signal }),
    ),
  );
  const listener = await api.listen("device");
  const frames = streams.map(async (stream) => {
    const decoder = new TextDecoder("latin1");
    let text = "";
    for await (const chunk of stream.body ?? []) {
      text += decoder.decode(chunk, { stream: true });
      const parts = text.split("--frame\r\n").slice(1, -1);
      if (parts.length >= 6) return parts;
    }
    throw new Error("the stream ended");
  });
  const photo = api.bytes(`${camera}/photo`);
  expect((await api.call("GET", "/v0.9/device/info")).status).toBe(200);
  for (const parts of await Promise.all(frames)) {
    for (const part of parts) {
      const picture = part.slice(part.indexOf("\r\n\r\n") + 4, -2);
      const { width, height, orientation } = await sharp(Buffer.from(picture, "latin1")).metadata();
      expect({ width, height, orientation }).toEqual({ width: 160, height: 120, orientation: undefined });
    }
  }
  expect((await sharp(await photo).metadata()).format).toBe("jpeg");
  await listener.count(2, () => true);
  expect(
    events(listener).map(({ changed }) => changed?.[0]),
    "D4: only the photo is told",
  ).toEqual(["cameras.simulated_camera.busy", "cameras.simulated_camera.busy"]);
  leave.abort();
});

test("D12: while white balance is looked for, everything else is answered at once", async () => {
  const { api } = await startServer();
  let isOver = false;
  const search = api
    .call("POST", `${camera}/awb-calibration`, { timeout_s: 20, stable_frames: 30 })
    .finally(() => {
      isOver = true;
    });
  const answers: [busy: boolean, snapshot: number][] = [];
  while (!isOver) {
    const { busy } = (await api.call<{ busy: boolean }>("GET", camera)).body;
    answers.push([busy, (await fetch(`${api.url}${camera}/preview?mode=snapshot`)).status]);
  }
  expect((await search).status).toBe(200);
  expect(answers.filter(([busy, snapshot]) => busy && snapshot === 409).length).toBeGreaterThan(5);
});
