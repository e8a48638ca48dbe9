import { expect, test } from "vitest";
import { startServer } from "./support/in-process.js";

test("root information, versions and health", async () => {
  const { api, folder } = await startServer();
  const info = await api.call("GET", "/v0.9");
  expect(info).toMatchObject({
    status: 200,
    body: {
      model: "mini",
      firmware_version: "1.2.3",
      last_shutdown_was_unclean: false,
      runtime_dir: folder.directories.runtimeDir,
      runtime_disk: { total: expect.any(Number) as number },
      uptime_seconds: expect.any(Number) as number,
    },
  });
  expect((await api.call("GET", "/api/versions")).body).toEqual({ versions: ["0.8", "0.9"], latest: "v0.9" });
  expect((await api.call("GET", "/health")).body).toMatchObject({ status: "ok", version: "1.2.3" });
});

test("D1: motors answer when the move is over; a busy motor answers 409, an unknown one 404", async () => {
  const { api } = await startServer();
  const [move, second] = await Promise.all([
    api.call("PATCH", "/v0.9/motors/turntable/angle", { degrees: 120 }),
    api.call("PATCH", "/v0.9/motors/turntable/angle", { degrees: 1 }),
  ]);
  expect(move).toMatchObject({ status: 200, body: { angle: expect.closeTo(210, 0) as number, busy: false } });
  expect(second.status).toBe(409);
  expect((await api.call("PUT", "/v0.9/motors/none/angle?degrees=1")).status).toBe(404);
  for (const degrees of ["nan", "inf", "Infinity", "x", ""])
    expect((await api.call("PUT", `/v0.9/motors/rotor/angle?degrees=${degrees}`)).status).toBe(422);
  expect(await api.call("PUT", "/v0.9/develop/scanner-position", { theta: 100, fi: 0 })).toMatchObject({
    status: 200,
    body: null,
  });
  expect((await api.call("GET", "/v0.9/motors/rotor")).body).toMatchObject({
    angle: expect.closeTo(100, 0) as number,
  });
  expect((await api.call("PUT", "/v0.9/motors/rotor/home")).body).toMatchObject({
    angle: expect.closeTo(90, 0) as number,
  });
});

test("D1: names of nothing answer 404 on every settings, photo and preview route", async () => {
  const { api } = await startServer();
  for (const path of [
    "cameras/x",
    "cameras/x/photo",
    "cameras/x/preview",
    "motors/x",
    "lights/x",
    "cameras/x/settings",
    "motors/x/settings",
    "lights/x/settings",
  ])
    expect((await api.call("GET", `/v0.9/${path}`)).status, path).toBe(404);
  expect((await api.call("GET", "/next/triggers/x")).status).toBe(404);
  expect((await api.call("GET", "/v0.9/triggers/")).status).toBe(404);
});

test("a preview stream sends JPEG parts until the viewer leaves, beside a photo", async () => {
  const { api } = await startServer();
  const leave = new AbortController();
  const reply = await fetch(`${api.url}/v0.9/cameras/simulated_camera/preview?fps=50`, {
    signal: leave.signal,
  });
  expect(reply.headers.get("Content-Type")).toBe("multipart/x-mixed-replace;boundary=frame");
  let text = "";
  const decoder = new TextDecoder("latin1");
  for await (const chunk of reply.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (text.split("--frame\r\nContent-Type: image/jpeg\r\n\r\n\xff\xd8").length > 3) break;
  }
  leave.abort();
  const photo = await fetch(`${api.url}/v0.9/cameras/simulated_camera/photo?ts=1`);
  expect(photo.headers.get("Content-Type")).toBe("image/jpeg");
  expect((await photo.arrayBuffer()).byteLength).toBeGreaterThan(2000);
  expect((await api.call("GET", "/v0.9/cameras/simulated_camera/photo?image_format=bmp")).status).toBe(422);
});

test("settings: PUT takes defaults, PATCH keeps, saving persists them", async () => {
  const { api } = await startServer();
  const settings = "/v0.9/cameras/simulated_camera/settings";
  expect((await api.call("PATCH", settings, { gain: 4, contrast: null, unknown: 1 })).body).toMatchObject({
    gain: 4,
    contrast: 1,
  });
  expect((await api.call("PUT", settings, { shutter: 20 })).body).toMatchObject({ shutter: 20, gain: 1 });
  expect(await api.call("PUT", settings, { shutter: -1 })).toMatchObject({
    status: 422,
    body: { detail: [{ loc: ["body", "shutter"] }] },
  });
  expect(
    (await api.call("PATCH", settings, { gain: "4", AF: "off", manual_focus: null })).body,
  ).toMatchObject({
    gain: 4,
    AF: false,
    manual_focus: 12,
  });
  await api.call("PUT", settings, { shutter: 20 });
  for (const pins of ["45", 5, [1.5], [true]])
    expect((await api.call("PATCH", "/v0.9/lights/Openscan.eu%20Ringlight/settings", { pins })).status).toBe(
      422,
    );
  await api.call("PATCH", "/v0.9/device/configurations/current");
  await api.call("PATCH", settings, { gain: 9 });
  await api.call("POST", "/v0.9/device/configurations/current/initialize");
  expect((await api.call("GET", settings)).body).toMatchObject({ shutter: 20, gain: 1 });
});

test("the built-in page is served at the root", async () => {
  const { api } = await startServer();
  const page = await api.call<string>("GET", "/");
  expect(page.headers.get("Content-Type")).toContain("text/html");
  expect(page.body).toContain("<title>OpenScan</title>");
  expect((await api.call("GET", "/status.js")).status).toBe(200);
});
