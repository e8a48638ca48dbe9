import sharp from "sharp";
import { expect, test } from "vitest";
import { quickConfiguration } from "./support/folder.js";
import { startServer } from "./support/in-process.js";

const ring = "lights/Openscan.eu%20Ringlight";

test("S3: the intensity of a light, in the query or in the body, in next only", async () => {
  const { api } = await startServer();
  const path = `/next/${ring}/intensity`;
  const device = await api.listen("device");
  expect((await api.call("PUT", `${path}?value=40`)).body).toMatchObject({ is_on: true, value: 40 });
  expect((await api.call("PUT", path, { value: 25 })).body).toMatchObject({ is_on: true, value: 25 });
  expect((await api.call("PUT", path, { value: "0" })).body).toMatchObject({ is_on: false, value: 0 });
  expect((await api.call("PUT", path)).body).toMatchObject({ is_on: true, value: 100 });
  await device.count(4, ({ changed }) => JSON.stringify(changed)?.includes(".value") ?? false);
  for (const wrong of ["?value=101", "?value=-1", "?value=nan", "?value=x"])
    expect((await api.call("PUT", path + wrong)).status, wrong).toBe(422);
  for (const value of [101, -1, "x", null, [1]])
    expect((await api.call("PUT", path, { value })).status, JSON.stringify(value)).toBe(422);
  expect((await api.call("PUT", "/next/lights/none/intensity")).status).toBe(404);
  expect((await api.call("PUT", `/v0.9/${ring}/intensity`)).status).toBe(404);
});

test("S3: a photo is darker in less light", async () => {
  const { api } = await startServer();
  const brightness = async () => {
    const { channels } = await sharp(await api.bytes("/v0.9/cameras/simulated_camera/photo")).stats();
    return channels.reduce((sum, { mean }) => sum + mean, 0);
  };
  await api.call("PUT", `/next/${ring}/intensity?value=100`);
  const full = await brightness();
  await api.call("PUT", `/next/${ring}/intensity?value=30`);
  const dim = await brightness();
  await api.call("PATCH", `/v0.9/${ring}/turn_off`);
  const dark = await brightness();
  expect(dim).toBeLessThan(full * 0.9);
  expect(dark).toBeLessThan(dim * 0.9);
});

test("a light whose pins are no list of numbers is refused, and keeps its own", async () => {
  const { api } = await startServer();
  const settings = `/v0.9/${ring}/settings`;
  for (const pins of ["45", 5, ["x"], [1.5], { 0: 4 }]) {
    expect(await api.call("PATCH", settings, { pins }), JSON.stringify(pins)).toMatchObject({
      status: 422,
      body: { detail: expect.any(String) as string },
    });
    expect(await api.call("PUT", settings, { pins })).toMatchObject({
      status: 422,
      body: { detail: [{ loc: expect.arrayContaining(["body", "pins"]) as string[] }] },
    });
  }
  expect((await api.call("GET", settings)).body).toMatchObject({ pin: null, pins: [17, 27] });
});

test("D19: a light drops the pin that it was configured with", async () => {
  const configuration = await quickConfiguration();
  const { api } = await startServer({ ...configuration, lights: { Ring: { pin: 12, pins: [13] } } });
  const settings = "/v0.9/lights/Ring/settings";
  expect((await api.call("GET", settings)).body).toMatchObject({ pin: null, pins: [13, 12] });
  expect((await api.call("PATCH", settings, { pins: [7] })).body).toMatchObject({ pin: null, pins: [7] });
  const { output_pins } = (await api.call<{ output_pins: number[] }>("GET", "/v0.9/gpio/")).body;
  expect(output_pins).toContain(7);
  for (const former of [12, 13]) expect(output_pins).not.toContain(former);
});

test("a trigger's polarity is its active level, in PATCH, PUT and in files", async () => {
  const { triggers, ...configuration } = await quickConfiguration();
  const own = { pin: 10, polarity: "active_low" };
  const { api } = await startServer({ ...configuration, triggers: { ...triggers, own } });
  const settings = "/next/triggers/own/settings";
  expect((await api.call("GET", settings)).body).toMatchObject({ active_level: "active_low" });
  expect((await api.call("PATCH", settings, { polarity: "active_high" })).body).toMatchObject({
    active_level: "active_high",
  });
  expect((await api.call("PUT", settings, own)).body).toMatchObject({ active_level: "active_low" });
  expect((await api.call("PATCH", settings, { polarity: "sideways" })).status).toBe(422);
  expect((await api.call("GET", settings)).body).not.toHaveProperty("polarity");
});

test("GPIO: pins are listed, read, set and toggled", async () => {
  const { api } = await startServer();
  for (const version of ["v0.8", "v0.9", "next"])
    expect((await api.call("GET", `/${version}/gpio/`)).body).toEqual({
      output_pins: [5, 6, 9, 10, 11, 17, 22, 23, 27],
      buttons: [17],
    });
  const pin = "/v0.9/gpio/20";
  expect((await api.call("GET", pin)).status).toBe(404);
  expect((await api.call("PATCH", `${pin}/toggle`)).status).toBe(409);
  expect(await api.call("PATCH", `${pin}?status=on`)).toMatchObject({ status: 200, body: true });
  expect(await api.call("GET", pin)).toMatchObject({ status: 200, body: true });
  expect(await api.call("PATCH", `${pin}/toggle`)).toMatchObject({ status: 200, body: false });
  for (const [method, path] of [
    ["PATCH", pin],
    ["PATCH", `${pin}?status=perhaps`],
    ["PATCH", "/v0.9/gpio/99?status=1"],
    ["PATCH", "/v0.9/gpio/-1?status=1"],
    ["GET", "/v0.9/gpio/x"],
    ["GET", "/v0.9/gpio/1.5"],
    ["PATCH", "/v0.9/gpio/x/toggle"],
  ] as const)
    expect((await api.call(method, path)).status, path).toBe(422);
});

test("GPIO: a button is not set", async () => {
  const { endstops, ...configuration } = await quickConfiguration();
  const [[name, endstop] = ["", undefined]] = Object.entries(endstops);
  const moved = { [name]: { ...endstop, settings: { ...endstop?.settings, pin: 21 } } };
  const { api } = await startServer({ ...configuration, endstops: moved });
  expect((await api.call("GET", "/v0.9/gpio/")).body).toMatchObject({ buttons: [21] });
  expect((await api.call("PATCH", "/v0.9/gpio/21?status=1")).status).toBe(409);
  expect((await api.call("GET", "/v0.9/gpio/21")).status).toBe(404);
});
