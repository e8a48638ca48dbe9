import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { type CameraDriver, defineCameraDriver, Device, DriverRegistry } from "@openscan/hardware";
import { CapturedPhoto, DeviceConfiguration } from "@openscan/protocol";
import { silentLogger, systemClock } from "@openscan/runtime";
import { FakeClock, settle } from "@openscan/runtime/testing";
import sharp from "sharp";
import { describe, expect, onTestFinished, test } from "vitest";
import { z } from "zod";
import { chromiumMissing, openBrowser } from "../../../../examples/support/chromium.js";
import { CameraReports } from "../device/camera-report.js";
import { createApplication } from "../http/application.js";
import { PhotoPayloads } from "../photo-payloads.js";
import { Access } from "../security/access.js";
import { Senders } from "../security/senders.js";
import { cameraRoutes } from "./cameras.js";

const jpeg = await sharp({ create: { width: 32, height: 16, channels: 3, background: "teal" } })
  .jpeg()
  .toBuffer();
const names = ["front", "Kamera 2 (ä/ö)"];

/** The camera routes over a real socket, and cameras that do what the test says. */
async function create(driver: Partial<CameraDriver> = {}) {
  const clock = new FakeClock();
  const cameraDriver = defineCameraDriver({
    kind: "test",
    settings: z.object({}),
    open: async () => ({
      formats: ["jpeg", "dng", "raw", "rgb_array"],
      configure: async () => {},
      capture: async ({ format }) => ({ format, bytes: jpeg, rawMetadata: { ISO: 100 } }),
      preview: async () => jpeg,
      close: async () => {},
      ...driver,
    }),
  });
  const device = new Device({
    clock,
    log: silentLogger,
    drivers: new DriverRegistry([cameraDriver], "test"),
  });
  const cameras = Object.fromEntries(names.map((name) => [name, { type: "gphoto2", path: "usb:1" }]));
  const initialize = (configured: object = cameras) =>
    device.initialize(DeviceConfiguration.parse({ name: "Test", cameras: configured }));
  await initialize();
  let ids = 0;
  const payloads = new PhotoPayloads({ clock, newId: () => (++ids).toString(16).padStart(32, "0") });
  const programs = { limitMs: 5000, maxBytes: 1000, env: { PATH: "/nowhere" } };
  const reports = new CameraReports({ device, version: "1.2.3", clock, programs });
  const log = silentLogger;
  const senders = new Senders({
    log,
    allowHosts: [],
    allowOrigins: [],
    ownNames: { has: () => false },
  });
  const app = createApplication(cameraRoutes({ device, payloads, reports }), {
    log,
    senders,
    access: new Access({ clock: systemClock, log }),
    redact: (text) => text,
    checkResponses: true,
    position: () => ({ epoch: "e", seq: 1 }),
    publicDir: "/nowhere",
    ready: Promise.resolve(),
    documents: (_req, _res, next) => next(),
    health: () => ({ status: "ok", version: "1", uptime_seconds: 1 }),
  });
  const server = createServer(app);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  onTestFinished(async () => {
    payloads.close();
    await device.close();
    server.closeAllConnections();
    server.close();
  });
  const json = async (path: string, init?: RequestInit) => {
    const reply = await fetch(`${url}${path}`, init);
    return { status: reply.status, body: (await reply.json()) as { detail?: unknown } };
  };
  const photo = (path: string, headers: Record<string, string> = {}) =>
    fetch(`${url}${path}`, { headers }).then(async (reply) => CapturedPhoto.parse(await reply.json()));
  return { clock, device, initialize, port, url, json, photo };
}

describe("a photo with metadata", () => {
  test("tells all about the shot; its bytes are kept for 90 s", async () => {
    const { clock, url, json } = await create();
    const { body } = await json("/v0.9/cameras/front/photo?with_metadata=true");
    expect(body).toMatchObject({
      format: "jpeg",
      media_type: "image/jpeg",
      filename: "photo.jpg",
      camera_metadata: { camera_name: "front", camera_settings: { gain: 1 }, raw_metadata: { ISO: 100 } },
      scan_metadata: null,
      payload_url: `${url}/v0.9/cameras/front/photo/payload/${"1".padStart(32, "0")}`,
      expires_in_s: 90,
    });
    const { payload_url } = CapturedPhoto.parse(body);
    for (const _ of [1, 2]) {
      const reply = await fetch(payload_url);
      expect(reply.headers.get("Content-Type")).toBe("image/jpeg");
      expect(reply.headers.get("Content-Disposition")).toBe('inline; filename="photo.jpg"');
      expect((await sharp(await reply.arrayBuffer()).metadata()).orientation).toBe(8);
    }
    const other = payload_url.replace("/front/", `/${encodeURIComponent(names[1] ?? "")}/`);
    expect((await fetch(other)).status).toBe(404);
    expect((await fetch(`${payload_url}x`)).status).toBe(404);
    await clock.advance(90_000);
    expect((await fetch(payload_url)).status).toBe(404);
  });

  test("D23: its address is percent-encoded in every version, and works", async () => {
    const { url, photo } = await create();
    for (const mount of ["v0.9", "latest", "next"]) {
      const path = `/${mount}/cameras/${encodeURIComponent(names[1] ?? "")}/photo`;
      const { payload_url } = await photo(`${path}?with_metadata=yes`);
      expect(payload_url).toMatch(
        new RegExp(`^${url}/${mount}/cameras/Kamera%202%20\\(%C3%A4%2F%C3%B6\\)/photo/payload/[0-9a-f]{32}$`),
      );
      expect((await fetch(payload_url)).status).toBe(200);
    }
  });

  const path = "/v0.9/cameras/front/photo?with_metadata=1";
  test.each([
    ["below /api", `/api${path}`, {}, /^http:\/\/127\.0\.0\.1:\d+\/api\/v0\.9\/cameras/],
    [
      "behind a proxy that strips a prefix",
      path,
      { "X-Forwarded-Prefix": "/api" },
      /^http:\/\/127\.0\.0\.1:\d+\/api\/v0\.9\//,
    ],
    ["with a prefix in several parts", path, { "X-Forwarded-Prefix": "/a/b/" }, /:\d+\/a\/b\/v0\.9\//],
    [
      "with a prefix that is there already",
      `/api${path}`,
      { "X-Forwarded-Prefix": "/api" },
      /:\d+\/api\/v0\.9\//,
    ],
    ["with a prefix that is none", path, { "X-Forwarded-Prefix": "//evil.example" }, /:\d+\/v0\.9\//],
    ["over HTTPS", path, { "X-Forwarded-Proto": "https, http" }, /^https:\/\/127\.0\.0\.1:\d+\/v0\.9\//],
    ["over nonsense", path, { "X-Forwarded-Proto": "javascript" }, /^http:\/\/127\.0\.0\.1/],
  ])("%s: the address is as the sender knows it", async (_, asked, headers, expected) => {
    const { photo } = await create();
    expect((await photo(asked, headers)).payload_url).toMatch(expected);
  });
});

describe("formats", () => {
  const named = (captureName?: string) => ({
    capture: async () => ({
      format: "raw" as const,
      bytes: new Uint8Array([1, 2, 3]),
      rawMetadata: captureName ? { capture_name: captureName } : {},
    }),
  });
  test.each([
    ["next", "raw", "IMG_7.CR3", "raw", "image/x-canon-cr3", "photo.cr3"],
    ["next", "raw", "IMG_7.dng", "raw", "image/x-adobe-dng", "photo.dng"],
    ["next", "raw", undefined, "raw", "application/octet-stream", "photo.raw"],
    ["next", "dng", "IMG_7.CR2", "raw", "image/x-canon-cr2", "photo.cr2"],
    ["v0.9", "dng", "IMG_7.CR2", "dng", "application/octet-stream", "photo.raw"],
    ["v0.9", "dng", "IMG_7.DNG", "dng", "image/x-adobe-dng", "photo.dng"],
  ])("D23: %s asked for %s of %s answers %s, %s", async (version, asked, file, format, media, filename) => {
    const { url, photo } = await create(named(file));
    const path = `/${version}/cameras/front/photo?image_format=${asked}`;
    expect(await photo(`${path}&with_metadata=1`)).toMatchObject({ format, media_type: media, filename });
    const reply = await fetch(`${url}${path}`);
    expect(reply.headers.get("Content-Type")).toBe(media);
    expect(reply.headers.get("Content-Disposition")).toBeNull();
    expect(reply.headers.get("Cache-Control")).toBe("no-store");
    expect(new Uint8Array(await reply.arrayBuffer())).toEqual(new Uint8Array([1, 2, 3]));
  });

  test("an array is named after its format", async () => {
    const { photo } = await create();
    expect(await photo("/v0.9/cameras/front/photo?image_format=rgb_array&with_metadata=1")).toMatchObject({
      media_type: "application/x-npy",
      filename: "photo_rgb_array.npy",
    });
  });

  test("0.8 sends a JPEG whatever it is asked for; 0.9 does not know raw; none knows bmp", async () => {
    const { url } = await create();
    const reply = await fetch(`${url}/v0.8/cameras/front/photo?image_format=raw&with_metadata=1&ts=1`);
    expect([reply.status, reply.headers.get("Content-Type")]).toEqual([200, "image/jpeg"]);
    for (const path of [
      "v0.9/cameras/front/photo?image_format=raw",
      "next/cameras/front/photo?image_format=bmp",
    ])
      expect((await fetch(`${url}/${path}`)).status).toBe(422);
    expect((await fetch(`${url}/v0.8/cameras/front/photo/payload/x`)).status).toBe(404);
  });

  test("one that the camera has not is 400; a failure of the camera 503", async () => {
    const { json } = await create({ capture: () => Promise.reject(new Error("shutter stuck")) });
    expect(await json("/v0.9/cameras/front/photo?image_format=yuv_array")).toEqual({
      status: 400,
      body: { detail: "camera front delivers jpeg, dng, raw, rgb_array, not yuv_array" },
    });
    expect(await json("/v0.9/cameras/front/photo")).toEqual({
      status: 503,
      body: { detail: "camera front: shutter stuck" },
    });
  });
});

describe("what only some cameras can", () => {
  const post = { method: "POST" };

  test("D10: restart and white balance are 501 elsewhere", async () => {
    const { json } = await create();
    for (const action of ["restart", "awb-calibration"])
      expect((await json(`/v0.9/cameras/front/${action}`, post)).status, action).toBe(501);
  });

  test("a restart answers 200 without a body", async () => {
    let restarts = 0;
    const { url } = await create({ restart: async () => void restarts++ });
    const reply = await fetch(`${url}/v0.9/cameras/front/restart`, post);
    expect([reply.status, await reply.text(), restarts]).toEqual([200, "", 1]);
  });

  test("white balance takes its defaults without a body, and what a body says", async () => {
    const searches: unknown[] = [];
    const { device, json } = await create({
      calibrateWhiteBalance: async (search) => {
        searches.push(search);
        return { red: 2.25, blue: 1.5 };
      },
    });
    const path = "/v0.9/cameras/front/awb-calibration";
    expect(await json(path, post)).toEqual({ status: 200, body: { red_gain: 2.25, blue_gain: 1.5 } });
    await json(path, {
      ...post,
      body: JSON.stringify({ warmup_frames: 0, stable_frames: "2", eps: 0.5, timeout_s: 5 }),
    });
    expect(searches).toEqual([
      { warmupFrames: 12, stableFrames: 4, eps: 0.01, timeoutMs: 2000 },
      { warmupFrames: 0, stableFrames: 2, eps: 0.5, timeoutMs: 5000 },
    ]);
    expect(device.camera("front").settings.get()).toMatchObject({ awbg_red: 2.25, awbg_blue: 1.5 });
    for (const wrong of [{ eps: 0 }, { timeout_s: 0 }, { warmup_frames: -1 }, { stable_frames: 0 }])
      expect((await json(path, { ...post, body: JSON.stringify(wrong) })).status).toBe(422);
  });

  test("white balance is 409 while the camera is busy, and 504 when nothing was found", async () => {
    let finish = () => {};
    const { json, url } = await create({
      capture: () =>
        new Promise((resolve) => {
          finish = () => resolve({ format: "jpeg", bytes: jpeg, rawMetadata: {} });
        }),
      calibrateWhiteBalance: async () => undefined,
    });
    const photo = fetch(`${url}/v0.9/cameras/front/photo`);
    await until(async () => ((await json("/v0.9/cameras/front")).body as { busy?: boolean }).busy === true);
    expect((await json("/v0.9/cameras/front/awb-calibration", post)).status).toBe(409);
    expect((await json("/v0.9/cameras/front/preview?mode=snapshot")).status).toBe(409);
    finish();
    expect((await photo).status).toBe(200);
    expect((await json("/v0.9/cameras/front/awb-calibration", post)).status).toBe(504);
    expect((await json("/v0.9/cameras/front")).body).toMatchObject({ busy: false });
  });
});

describe("a preview", () => {
  const stream = "/v0.9/cameras/front/preview?fps=10";

  test("its first picture is complete as soon as it is there: the next part begins at once", async () => {
    const { url } = await create();
    const leave = new AbortController();
    const reply = await fetch(`${url}${stream}`, { signal: leave.signal });
    expect(reply.headers.get("Content-Type")).toBe("multipart/x-mixed-replace;boundary=frame");
    const head = "--frame\r\nContent-Type: image/jpeg\r\n\r\n";
    const first = Buffer.from(`${head}${jpeg.toString("latin1")}\r\n${head}`, "latin1");
    const received = await bytesOf(reply, first.length);
    expect(received.equals(first)).toBe(true);
    leave.abort();
  });

  test.skipIf(chromiumMissing)(
    `a browser shows the first picture although there never is a second one${chromiumMissing}`,
    async () => {
      const { url, initialize } = await create();
      const page = await (await openBrowser()).newPage();
      await page.goto(`${url}/v0.9/cameras/`);
      const shown = await page.evaluate(
        (src) =>
          new Promise<string>((resolve) => {
            const image = new Image();
            image.addEventListener("load", () => resolve(`${image.naturalWidth}x${image.naturalHeight}`));
            image.addEventListener("error", () => resolve("broken"));
            document.body.append(image);
            image.src = src;
          }),
        `${url}${stream}`,
      );
      expect(shown).toBe("32x16");
      // The end of the stream does not take it away.
      await initialize({});
      const stays = await page.evaluate(async (src) => {
        while (performance.getEntriesByName(src).length === 0)
          await new Promise((resolve) => setTimeout(resolve, 10));
        const image = document.querySelector("img");
        await image?.decode();
        return `${image?.naturalWidth}x${image?.naturalHeight}`;
      }, `${url}${stream}`);
      expect(stays).toBe("32x16");
    },
    60_000,
  );

  test("nobody there: 404, and 422, before anything is sent", async () => {
    const { json } = await create();
    expect((await json("/v0.9/cameras/none/preview")).status).toBe(404);
    for (const query of ["fps=0", "fps=51", "fps=2.5", "mode=film", "mode=streams"])
      expect((await json(`/v0.9/cameras/front/preview?${query}`)).status, query).toBe(422);
  });

  test("a camera that fails: 503 before the first frame, the end of the stream after it", async () => {
    let frames = 0;
    const { clock, json, url } = await create({
      preview: async () => {
        if (++frames === 3) throw new Error("cable");
        return jpeg;
      },
    });
    const reply = await fetch(`${url}${stream}`);
    const whole = reply.arrayBuffer();
    await until(async () => frames === 1);
    await clock.advance(1000);
    const parts = Buffer.from(await whole)
      .toString("latin1")
      .split("--frame\r\n");
    expect(parts.filter((part) => part.includes("\u00ff\u00d8"))).toHaveLength(2);
    frames = 2;
    expect(await json("/v0.9/cameras/front/preview?mode=snapshot")).toEqual({
      status: 503,
      body: { detail: "camera front: cable" },
    });
    frames = 2;
    expect((await json(stream)).status).toBe(503);
  });

  test("a camera that is taken away ends its streams", async () => {
    const { initialize, url, json } = await create();
    const reply = await fetch(`${url}${stream}`);
    const whole = reply.arrayBuffer();
    await initialize({ back: { type: "linuxpy", path: "/dev/video0" } });
    expect((await whole).byteLength).toBeGreaterThan(jpeg.length);
    expect((await json(stream)).status).toBe(404);
  });

  test("one loop for all viewers; it rests when they have gone", async () => {
    let frames = 0;
    const { clock, url } = await create({ preview: async () => (frames++, jpeg) });
    const leave = new AbortController();
    const viewers = await Promise.all(
      [1, 2, 3, 4, 5].map(() => fetch(`${url}${stream}`, { signal: leave.signal })),
    );
    const readers = viewers.map((reply) => bytesOf(reply, 10 * jpeg.length));
    await until(async () => frames > 0 && clock.pending > 0);
    const before = frames;
    await clock.advance(2000);
    expect(frames - before).toBeLessThanOrEqual(21);
    for (const bytes of await Promise.all(readers))
      expect(bytes.length).toBeGreaterThanOrEqual(10 * jpeg.length);
    leave.abort();
    await until(async () => clock.pending === 0);
  });

  test("a viewer that does not read costs no memory and no frames, and holds nobody up", async () => {
    const large = Buffer.concat([jpeg, Buffer.alloc(1_000_000)]);
    let frames = 0;
    const { clock, port, url } = await create({ preview: async () => (frames++, large) });
    const stalled = connect({ host: "127.0.0.1", port });
    onTestFinished(() => void stalled.destroy());
    stalled.pause();
    stalled.write(`GET ${stream} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`);
    await until(async () => frames > 0 && clock.pending > 0);
    for (let second = 0; second < 60; second++) await clock.advance(1000);
    const sent = frames;
    expect(sent, "what the sockets' buffers take").toBeLessThan(60);
    await clock.advance(10_000);
    expect(frames).toBe(sent);

    const leave = new AbortController();
    const reader = await fetch(`${url}${stream}`, { signal: leave.signal });
    expect((await bytesOf(reader, large.length)).length).toBeGreaterThanOrEqual(large.length);
    leave.abort();
  });

  test("a HEAD request is answered, and ends", async () => {
    const { url, clock } = await create();
    const reply = await fetch(`${url}${stream}`, { method: "HEAD" });
    expect([reply.status, reply.headers.get("Content-Type")]).toEqual([
      200,
      "multipart/x-mixed-replace;boundary=frame",
    ]);
    expect(clock.pending).toBe(0);
  });
});

test("the camera report is JSON or a text, and not in 0.8", async () => {
  const { json, url } = await create();
  const { status, body } = await json("/v0.9/develop/camera-report");
  expect(status).toBe(200);
  expect(body).toMatchObject({ ok: true, report: expect.stringContaining("Kamera 2 (ä/ö)") as string });
  const text = await fetch(`${url}/next/develop/camera-report?format=text`);
  expect(text.headers.get("Content-Type")).toBe("text/plain; charset=utf-8");
  expect(await text.text()).toContain("gphoto2 is not installed");
  expect((await json("/v0.9/develop/camera-report?format=pdf")).status).toBe(422);
  expect((await json("/v0.8/develop/camera-report")).status).toBe(404);
});

test("no camera, unknown camera: an empty list, and 404 everywhere", async () => {
  const { initialize, json } = await create();
  await initialize({});
  expect(await json("/v0.9/cameras/")).toEqual({ status: 200, body: {} });
  const asked: [string, string][] = [
    ["GET", ""],
    ["GET", "/preview"],
    ["GET", "/preview?mode=snapshot"],
    ["GET", "/photo"],
    ["GET", "/photo?with_metadata=1"],
    ["GET", "/photo/payload/00000000000000000000000000000000"],
    ["POST", "/restart"],
    ["POST", "/awb-calibration"],
    ["GET", "/settings"],
    ["PUT", "/settings"],
    ["PATCH", "/settings"],
  ];
  for (const [method, path] of asked) {
    const body = method === "GET" || method === "POST" ? {} : { body: "{}" };
    const reply = await json(`/v0.9/cameras/front${path}`, { method, ...body });
    expect(reply.status, `${method} ${path}`).toBe(404);
    expect(typeof reply.body.detail).toBe("string");
  }
});

describe("settings", () => {
  const path = "/v0.9/cameras/front/settings";
  const send = (method: string, body: unknown) => ({ method, body: JSON.stringify(body) });

  test("PATCH: null keeps, unknown keys are ignored, a wrong value is 422 in words; nothing has changed then", async () => {
    const { device, json } = await create();
    await json(path, send("PUT", { AF_window: [1, 2, 3, 4], gain: 3 }));
    expect((await json(path, send("PATCH", { AF_window: null, nonsense: 1, gain: 2 }))).body).toMatchObject({
      AF_window: [1, 2, 3, 4],
      gain: 2,
    });
    const before = device.camera("front").settings.get();
    const wrong = await json(path, send("PATCH", { gain: 5, shutter: 0 }));
    expect(wrong).toMatchObject({
      status: 422,
      body: { detail: expect.stringContaining("shutter 0") as string },
    });
    expect(device.camera("front").settings.get()).toEqual(before);
  });

  test("PUT: what is left out takes its default, null is null; a wrong value is 422 with its place", async () => {
    const { json } = await create();
    const { body } = await json(path, send("PUT", { gain: null, AF_window: null }));
    expect(body).toMatchObject({ gain: null, AF_window: null, shutter: 50 });
    expect(await json(path, send("PUT", { crop_width: 101 }))).toMatchObject({
      status: 422,
      body: { detail: [{ loc: ["body", "crop_width"] }] },
    });
  });

  test("{} has no effect, {x: null} is applied and told again", async () => {
    let applied = 0;
    const { device, json } = await create({ configure: async () => void applied++ });
    const told: (readonly string[] | null)[] = [];
    device.changes.on(({ changed }) => told.push(changed));
    expect((await json(path, send("PATCH", {}))).status).toBe(200);
    expect([applied, told]).toEqual([0, []]);
    await json(path, send("PATCH", { gain: null }));
    expect(applied).toBe(1);
    expect(told.flat()).toEqual(["cameras.front.busy", "cameras.front.busy", "cameras.front.settings"]);
  });

  test("D18: what the camera refuses is not stored, told or left in the camera", async () => {
    const given: number[] = [];
    const { device, json } = await create({
      configure: async ({ gain }) => {
        given.push(gain ?? 0);
        if (gain === 9) throw new Error("gain 9 is beyond this sensor");
      },
    });
    const told: (readonly string[] | null)[] = [];
    device.changes.on(({ changed }) => told.push(changed));
    for (const method of ["PATCH", "PUT"]) {
      const reply = await json(path, send(method, { gain: 9 }));
      expect(reply).toMatchObject({
        status: 422,
        body: { detail: expect.stringContaining("gain 9 is beyond this sensor") as string },
      });
    }
    expect(given).toEqual([9, 1, 9, 1]);
    expect(device.camera("front").settings.get().gain).toBe(1);
    expect(told.flat()).not.toContain("cameras.front.settings");
  });
});

/** Asks until it is so; each question lets the sockets move. */
async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await settle();
}

/** What arrives until it is so many bytes. */
async function bytesOf(reply: Response, atLeast: number): Promise<Buffer> {
  const reader = reply.body?.getReader();
  const parts: Uint8Array[] = [];
  let length = 0;
  while (reader && length < atLeast) {
    const { value, done } = await reader.read();
    if (done) break;
    parts.push(value);
    length += value.length;
  }
  reader?.releaseLock();
  return Buffer.concat(parts);
}
