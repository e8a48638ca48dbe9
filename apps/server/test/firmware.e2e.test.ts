import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { startServer } from "./support/in-process.js";

const defaults = { qr_wifi_scan_enabled: true, enable_cloud: false, camera_preview_enabled: true };

test("firmware settings: read, replaced with defaults for what is left out, changed one by one", async () => {
  const { api, folder } = await startServer();
  const path = "/v0.9/firmware/settings";
  expect(await api.call("GET", path)).toMatchObject({ status: 200, body: defaults });
  expect(await api.call("PATCH", `${path}/enable_cloud`, { value: true })).toMatchObject({
    status: 200,
    body: { ...defaults, enable_cloud: true },
  });
  expect(
    JSON.parse(
      await readFile(join(folder.directories.settingsDir, "firmware/firmware_settings.json"), "utf8"),
    ),
  ).toEqual({ ...defaults, enable_cloud: true });
  expect((await api.call("PATCH", `${path}/qr_wifi_scan_enabled`, { value: "no" })).body).toEqual({
    ...defaults,
    enable_cloud: true,
    qr_wifi_scan_enabled: false,
  });
  expect((await api.call("PUT", path, { camera_preview_enabled: false, unknown: 1 })).body).toEqual({
    ...defaults,
    camera_preview_enabled: false,
  });
});

test("D1: a firmware setting of an unknown name is 404, a bad value 422, and neither changes anything", async () => {
  const { api } = await startServer();
  const path = "/next/firmware/settings";
  for (const key of ["none", "toString", "__proto__", "%20"])
    expect((await api.call("PATCH", `${path}/${key}`, { value: true })).status, key).toBe(404);
  for (const value of ["perhaps", null, 2, {}, []])
    expect(await api.call("PATCH", `${path}/enable_cloud`, { value }), JSON.stringify(value)).toMatchObject({
      status: 422,
      body: { detail: [{ loc: ["body", "value"] }] },
    });
  for (const body of [{}, undefined, [], true])
    expect((await api.call("PATCH", `${path}/enable_cloud`, body)).status).toBe(422);
  expect((await api.call("PUT", path, { enable_cloud: "perhaps" })).status).toBe(422);
  expect((await api.call("GET", path)).body).toEqual(defaults);
});

test("v0.8 has no firmware settings", async () => {
  const { api } = await startServer();
  expect((await api.call("GET", "/v0.8/firmware/settings")).status).toBe(404);
});
