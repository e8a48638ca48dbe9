import { mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { ConfigurationFile, DeviceControl, DeviceStatus } from "@openscan/protocol";
import { expect, test } from "vitest";
import { became } from "./support/api.js";
import { quickConfiguration } from "./support/folder.js";
import { startServer, type TestServer } from "./support/in-process.js";

const list = "/v0.9/device/configurations";
const current = `${list}/current`;
const folderOf = ({ folder }: TestServer) => join(folder.directories.settingsDir, "device");
const inUse = (server: TestServer) => readFile(join(folderOf(server), "device_config.json"), "utf8");
const add = ({ api }: TestServer, config_file: string, config_data: unknown, version = "v0.9") =>
  api.call(`POST`, `/${version}/device/configurations/`, { config_data, filename: { config_file } });

test("the configuration in use, with everything filled in, comes back as it was sent", async () => {
  const server = await startServer();
  await writeFile(
    join(folderOf(server), "device_config.json"),
    JSON.stringify({ name: "Mine", model: "mini", shield: "greenshield", lights: { Ring: { pin: 17 } } }),
  );
  const { status, body } = await server.api.call<ConfigurationFile>("GET", current);
  expect(status).toBe(200);
  expect(body).toEqual({
    status: "success",
    filename: "device_config.json",
    path: join(folderOf(server), "device_config.json"),
    config: {
      name: "Mine",
      model: "mini",
      shield: "greenshield",
      cameras: {},
      motors: {},
      lights: { Ring: expect.objectContaining({ pins: [17] }) as object },
      triggers: {},
      endstops: {},
      motors_timeout: 0,
      idle_timeout: 0,
      scan_radius_mm: 1,
      turntable_sign: 1,
      startup_mode: "startup_enabled",
      calibrate_mode: "calibrate_manual",
    },
  });
  expect((await add(server, "frontend_config.json", body.config)).status).toBe(200);
  expect((await server.api.call("PUT", current, { config_file: "frontend_config.json" })).status).toBe(200);
  const { cameras: _, ...config } = body.config;
  expect((await server.api.call<ConfigurationFile>("GET", current)).body.config).toMatchObject(config);
});

test("a file is found with and without its extension, and directories before it are ignored", async () => {
  const server = await startServer();
  await add(server, "mine", await quickConfiguration());
  await writeFile(join(folderOf(server), "odd.json"), '{"unknown": true}');
  await writeFile(join(folderOf(server), "broken.json"), "{");
  await writeFile(join(folderOf(server), "list.json"), "[]");
  for (const name of ["mine", "mine.json", "x%2Fmine", "..%2F..%2Fmine.json", "..%5Cmine"])
    expect(await server.api.call("GET", `${list}/${name}`), name).toMatchObject({
      status: 200,
      body: { filename: "mine.json", path: join(folderOf(server), "mine.json") },
    });
  expect((await server.api.call("GET", `${list}/odd`)).body).toMatchObject({ config: { unknown: true } });
  for (const name of ["broken", "list.json"])
    expect((await server.api.call("GET", `${list}/${name}`)).status).toBe(400);
  expect(await server.api.call("GET", `${list}/..%2Ffirmware%2Ffirmware_settings.json`)).toMatchObject({
    status: 404,
    body: { detail: { available_configs: expect.arrayContaining(["mine.json"]) as string[] } },
  });
});

test("lists are answered with and without the slash, and so are additions", async () => {
  const server = await startServer();
  for (const version of ["v0.8", "v0.9", "next", "api/latest"])
    for (const slash of ["", "/"]) {
      const reply = await server.api.call("GET", `/${version}/device/configurations${slash}`);
      expect(reply).toMatchObject({ status: 200, body: { status: "success" } });
    }
  const body = { config_data: await quickConfiguration(), filename: { config_file: "x" } };
  expect((await server.api.call("POST", list, body)).status).toBe(200);
  expect((await server.api.call("DELETE", list)).status).toBe(405);
  expect((await server.api.call("GET", "/v0.8/device/configurations/current")).status).toBe(405);
  expect((await server.api.call("GET", "/v0.8/device/configurations/x")).status).toBe(404);
});

test("adding a configuration stores it and changes nothing else", async () => {
  const server = await startServer();
  const before = await inUse(server);
  const reply = await add(server, "other.json", { name: "other" });
  expect(reply).toMatchObject({ status: 200, body: { success: true, status: { model: "mini" } } });
  expect(await inUse(server)).toBe(before);
  expect(await readFile(join(folderOf(server), "other.json"), "utf8")).toMatch(/^\{\n {4}"name": "other"/);
  expect((await add(server, "other", { name: "another" })).status).toBe(200);
  expect(JSON.parse(await readFile(join(folderOf(server), "other.json"), "utf8"))).toMatchObject({
    name: "another",
  });
});

test.each([
  "../x.json",
  "/tmp/x.json",
  "a/b.json",
  "..",
  ".",
  "",
  ".json",
  ".hidden.json",
  "a\u0000b",
  "a\nb",
  "x".repeat(300),
])("D8: no configuration is written to %j", async (name) => {
  const server = await startServer();
  const before = (await readdir(folderOf(server))).sort();
  const { settingsDir } = server.folder.directories;
  const around = (await readdir(settingsDir)).sort();
  expect((await add(server, name, { name: "x" })).status).toBe(422);
  expect((await readdir(folderOf(server))).sort()).toEqual(before);
  expect((await readdir(settingsDir)).sort()).toEqual(around);
});

test("D8: no configuration is loaded from elsewhere", async () => {
  const server = await startServer();
  const elsewhere = join(server.folder.directories.settingsDir, "x.json");
  await writeFile(elsewhere, JSON.stringify(await quickConfiguration()));
  await mkdir(join(folderOf(server), "below.json"));
  for (const config_file of [elsewhere, "../x.json", "../x", "below.json/../../x.json", "none", ""])
    expect(await server.api.call("PUT", current, { config_file }), config_file).toMatchObject({
      status: 404,
      body: { detail: { message: expect.any(String) as string, available_configs: expect.any(Array) as [] } },
    });
});

test("each listed path, and each bare name, is accepted", async () => {
  const server = await startServer();
  await add(server, "mine.json", { ...(await quickConfiguration()), name: "mine" });
  await symlink("mine.json", join(folderOf(server), "link.json"));
  const { body } = await server.api.call<{ configs: { filename: string; path: string }[] }>("GET", list);
  const mine = body.configs.find(({ filename }) => filename === "mine.json");
  for (const config_file of [mine?.path, "mine.json", "mine", "link.json"])
    expect(await server.api.call("PUT", current, { config_file })).toMatchObject({
      status: 200,
      body: { success: true, status: { name: "mine" } },
    });
});

test("applying a configuration stores what runs, detected cameras and defaults included", async () => {
  const server = await startServer();
  await writeFile(
    join(folderOf(server), "small.json"),
    JSON.stringify({ name: "Small", model: "custom", shield: "custom", lights: { Ring: { pin: 4 } } }),
  );
  const device = await server.api.listen("device");
  const { body } = await server.api.call<DeviceControl>("PUT", current, { config_file: "small.json" });
  expect(body.status.cameras).toHaveProperty("simulated_camera");
  expect(JSON.parse(await inUse(server))).toMatchObject({
    name: "Small",
    cameras: { simulated_camera: { type: "picamera2", settings: { gain: 1 } } },
    lights: { Ring: { pins: [4] } },
    motors_timeout: 0,
  });
  const last = await device.find(({ changed }) => changed === null);
  expect(last).toMatchObject({ device: { name: "Small" } });
});

const broken = (change: object) => async () => ({ ...(await quickConfiguration()), ...change });
test.each([
  ["an unknown camera type", broken({ cameras: { a: { type: "webcam", path: "/dev/video0" } } })],
  ["an unknown startup mode", broken({ startup_mode: "startup_never" })],
  ["an unknown calibration mode", broken({ calibrate_mode: "sometimes" })],
  ["an unknown model", broken({ model: "maxi" })],
  ["an unknown shield", broken({ shield: "redshield" })],
  ["an unknown driver", broken({ lights: { a: { pin: 1, driver: "laser" } } })],
  ["a motor without pins", broken({ motors: { rotor: { steps_per_rotation: 10 } } })],
])("D9: %s is refused with 422 and everything stays as it was", async (_what, make) => {
  const server = await startServer();
  const { api } = server;
  await api.call("PATCH", "/v0.9/motors/rotor/settings", { max_speed: 7000 });
  const [file, before] = [
    await inUse(server),
    (await api.call<DeviceStatus>("GET", "/next/device/info")).body,
  ];
  const configuration = await make();
  expect((await add(server, "bad.json", configuration)).status).toBe(422);
  await writeFile(join(folderOf(server), "bad.json"), JSON.stringify(configuration));
  expect((await api.call("PUT", current, { config_file: "bad.json" })).status).toBe(422);
  expect(await inUse(server)).toBe(file);
  expect((await api.call("GET", "/next/device/info")).body).toEqual(before);
  expect((await api.call("PATCH", "/v0.9/motors/rotor/angle", { degrees: 1 })).status).toBe(200);
});

test("D9: endstops may be null or missing", async () => {
  const server = await startServer();
  const { endstops: _, ...configuration } = await quickConfiguration();
  for (const [name, config] of Object.entries({
    none: configuration,
    nothing: { ...configuration, endstops: null },
  })) {
    expect((await add(server, name, config)).status).toBe(200);
    expect((await server.api.call("PUT", current, { config_file: name })).status).toBe(200);
    expect((await server.api.call("GET", "/v0.9/motors/rotor")).body).toMatchObject({ endstop: null });
  }
});

test("D9: a start with a configuration of which no device can be made is a start without one", async () => {
  const server = await startServer({
    ...(await quickConfiguration()),
    lights: { a: { pin: 1, driver: "laser" } },
  });
  expect((await server.api.call("GET", "/v0.9/device/info")).status).toBe(503);
  expect((await server.api.call("PUT", current, { config_file: "simulated_mini" })).status).toBe(200);
  expect((await server.api.call("GET", "/v0.9/device/info")).status).toBe(200);
});

test("no configuration is applied while a scan is at work, and none is then in the file", async () => {
  const server = await startServer();
  const tasks = await server.api.listen("tasks");
  const { id } = await server.api.startScan("vase", { points: 20, pause_before_capture_ms: 60_000 });
  await tasks.find(became(id, "running"));
  const file = await inUse(server);
  expect((await server.api.call("PUT", current, { config_file: "unconfigured" })).status).toBe(409);
  expect((await server.api.call("POST", `${current}/initialize`)).status).toBe(409);
  expect(await inUse(server)).toBe(file);
});

test("saving takes the running settings, and initializing brings the saved ones back", async () => {
  const server = await startServer();
  const { api } = server;
  await api.call("PATCH", "/v0.9/cameras/simulated_camera/settings", { gain: 3 });
  expect(await inUse(server)).not.toContain('"gain": 3');
  expect(await api.call("PATCH", current)).toMatchObject({ status: 200, body: { success: true } });
  expect(await inUse(server)).toContain('"gain": 3');
  await api.call("PATCH", "/v0.9/cameras/simulated_camera/settings", { gain: 5 });
  await api.call("PUT", "/v0.9/motors/rotor/angle-override?angle=10");
  const { body } = await api.call<DeviceControl>("POST", `${current}/initialize`);
  expect(body.status).toMatchObject({
    cameras: { simulated_camera: { settings: { gain: 3 } } },
    motors: { rotor: { angle: 90 } },
  });
});

test("D24: detecting the cameras keeps the settings of those that are found, and drops the others", async () => {
  const configuration = await quickConfiguration();
  const own = configuration.cameras["simulated_camera"];
  const other = { type: "linuxpy", path: "/dev/video7", settings: {}, driver: "simulated" };
  const server = await startServer({
    ...configuration,
    cameras: { simulated_camera: { ...own, settings: { ...own?.settings, gain: 4 } }, other },
  });
  const initialize = async (query: string) =>
    (await server.api.call<DeviceControl>("POST", `${current}/initialize${query}`)).body.status.cameras;
  expect(Object.keys(await initialize(""))).toEqual(["simulated_camera", "other"]);
  const found = await initialize("?detect_cameras=true");
  expect(found).toEqual({
    simulated_camera: expect.objectContaining({
      settings: expect.objectContaining({ gain: 4 }) as object,
    }) as object,
  });
});

const entries = <T>(values: Record<string, T>, change: (value: T, name: string) => unknown) =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, change(value, name)]));

test("v0.8 describes the running device: its nested form is stored as a file, under a name with .json added", async () => {
  const server = await startServer();
  const { motors, lights, triggers, endstops, cameras, ...rest } = await quickConfiguration();
  const nested = {
    ...rest,
    cameras: entries(cameras, (camera, name) => ({ ...camera, name })),
    motors: entries(motors, ({ driver, ...settings }, name) => ({ name, settings, angle: 12, driver })),
    lights: entries(lights, ({ driver, ...settings }, name) => ({ name, settings, driver })),
    triggers: entries(triggers, (settings, name) => ({ name, settings })),
    endstops: entries(endstops, (endstop, name) => ({ ...endstop, name })),
  };
  const reply = await add(server, "old.json", nested, "v0.8");
  expect(reply).toMatchObject({ status: 200, body: { success: true, status: { model: "mini" } } });
  expect(reply.body).not.toHaveProperty("status.triggers");
  const stored = JSON.parse(await readFile(join(folderOf(server), "old.json.json"), "utf8")) as object;
  expect(stored).toMatchObject({ ...rest, motors, lights, endstops, triggers: {} });
  expect((await server.api.call("PUT", current, { config_file: "old.json" })).status).toBe(200);

  expect((await add(server, "flat", await quickConfiguration(), "v0.8")).status).toBe(422);
  expect((await add(server, "m", { ...nested, model: "maxi" }, "v0.8")).status).toBe(422);
  const empty = { ...nested, motors: { rotor: { name: "rotor", settings: null } } };
  expect(await add(server, "n", empty, "v0.8")).toMatchObject({
    status: 422,
    body: { detail: [{ loc: ["body", "config_data", "motors", "rotor", "settings"] }] },
  });
  expect((await add(server, "nested", nested)).status).toBe(422);
});

test("triggers are in the status of next alone, over WebSockets always; endstops have names of their own", async () => {
  const { api } = await startServer();
  const device = await api.listen("device", "/v0.8");
  for (const version of ["v0.8", "v0.9", "latest"]) {
    expect((await api.call("GET", `/${version}/device/info`)).body).not.toHaveProperty("triggers");
    expect((await api.call("POST", `/${version}/device/wakeup`)).body).not.toHaveProperty("status.triggers");
  }
  expect((await api.call("GET", "/next/device/info")).body).toHaveProperty("triggers");
  await api.call("PATCH", "/v0.9/lights/Openscan.eu%20Ringlight/toggle");
  const event = await device.find(({ type }) => type === "device.status");
  expect(event["device"]).toHaveProperty("triggers");
  // S5: without it UIs would add a second endstop on the same pin.
  expect((await api.call<DeviceStatus>("GET", "/v0.9/device/info")).body.endstops).toMatchObject({
    "rotor-endstop": { settings: { motor_name: "rotor" } },
  });
});
