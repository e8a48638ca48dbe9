import { type DeviceStatus, DeviceStatusEvent } from "@openscan/protocol";
import { expect, test } from "vitest";
import type { Listener } from "./support/api.js";
import { listeningServer, startServer } from "./support/in-process.js";

const events = (listener: Listener) => listener.messages.map((message) => DeviceStatusEvent.parse(message));
const paths = (listener: Listener) => events(listener).map(({ changed }) => changed);
const changed = (path: string) => (message: { [key: string]: unknown }) =>
  (message["changed"] as string[] | null)?.includes(path) ?? false;

test("a settings change tells its path and the whole device", async () => {
  const { api } = await startServer();
  const listener = await api.listen("device");
  await api.call("PATCH", "/latest/motors/rotor/settings", { max_speed: 6000 });
  await api.call("PATCH", "/latest/lights/Openscan.eu%20Ringlight/settings", { pins: [4] });
  await api.call("PATCH", "/next/triggers/external%20camera/settings", { pulse_width_ms: 20 });
  await api.call("PATCH", "/latest/cameras/simulated_camera/settings", { gain: 2 });
  await listener.find(changed("cameras.simulated_camera.settings"));
  const settings = paths(listener).filter((path) => path?.[0]?.endsWith(".settings"));
  expect(settings).toEqual([
    ["motors.rotor.settings"],
    ["lights.Openscan.eu Ringlight.settings"],
    ["triggers.external camera.settings"],
    ["cameras.simulated_camera.settings"],
  ]);
  expect(events(listener).at(-1)?.device).toMatchObject({
    motors: { rotor: { settings: { max_speed: 6000 } } },
    lights: { "Openscan.eu Ringlight": { settings: { pins: [4] } } },
    triggers: { "external camera": { settings: { pulse_width_ms: 20 } } },
    cameras: { simulated_camera: { settings: { gain: 2 } } },
  });
});

test("a refused settings change changes nothing and tells nobody", async () => {
  const { api } = await startServer();
  const listener = await api.listen("device");
  const before = (await api.call("GET", "/latest/motors/rotor/settings")).body;
  const refused = await api.call<{ detail: string }>("PATCH", "/latest/motors/rotor/settings", {
    max_speed: 0,
    direction: -1,
  });
  expect(refused.status).toBe(422);
  expect(refused.body.detail).toContain("max_speed");
  expect((await api.call("GET", "/latest/motors/rotor/settings")).body).toEqual(before);
  await api.call("PATCH", "/latest/lights/Openscan.eu%20Ringlight/toggle");
  await listener.find(changed("lights.Openscan.eu Ringlight.is_on"));
  expect(paths(listener)).toEqual([["lights.Openscan.eu Ringlight.is_on"]]);
});

test("a move is busy from its first moment, with its target, to its end, with its angle", async () => {
  const { api } = await startServer();
  const listener = await api.listen("device");
  const { body } = await api.call<{ angle: number }>("PUT", "/latest/motors/turntable/angle?degrees=180");
  expect(body.angle).toBeCloseTo(180, 0);
  await listener.find(
    (message) =>
      changed("motors.turntable.busy")(message) &&
      !(message as unknown as DeviceStatusEvent).device.motors["turntable"]?.busy,
  );
  const [first, last] = events(listener);
  expect(first).toMatchObject({
    changed: ["motors.turntable.busy"],
    device: { motors: { turntable: { busy: true, target_angle: 180, angle: 90 } } },
  });
  expect(last).toMatchObject({
    changed: ["motors.turntable.busy"],
    device: { motors: { turntable: { busy: false, target_angle: null, angle: body.angle } } },
  });
  expect(events(listener)).toHaveLength(2);
});

test("a photo makes its camera busy and free again; a preview does not", async () => {
  const { api } = await startServer();
  const listener = await api.listen("device");
  const preview = await api.bytes("/latest/cameras/simulated_camera/preview?mode=snapshot");
  const photo = await api.bytes("/latest/cameras/simulated_camera/photo");
  for (const jpeg of [preview, photo]) expect([...jpeg.subarray(0, 2)]).toEqual([0xff, 0xd8]);
  await listener.find(
    (message) => !(message as unknown as DeviceStatusEvent).device.cameras["simulated_camera"]?.busy,
  );
  expect(
    events(listener).map(({ changed: path, device }) => [path, device.cameras["simulated_camera"]?.busy]),
  ).toEqual([
    [["cameras.simulated_camera.busy"], true],
    [["cameras.simulated_camera.busy"], false],
  ]);
});

test("on, off, toggle, override, trigger: each tells its path", async () => {
  const { api } = await startServer();
  const listener = await api.listen("device");
  const light = "/latest/lights/Openscan.eu%20Ringlight";
  for (const verb of ["turn_off", "turn_on", "toggle"])
    expect((await api.call("PATCH", `${light}/${verb}`)).body).toMatchObject({ is_on: verb === "turn_on" });
  await api.call("PUT", "/latest/motors/rotor/angle-override?angle=45");
  expect((await api.call("POST", "/next/triggers/external%20camera/trigger")).status).toBe(200);
  await listener.find(
    (message) =>
      changed("triggers.external camera.busy")(message) &&
      !(message as unknown as DeviceStatusEvent).device.triggers["external camera"]?.busy,
  );
  expect(paths(listener)).toEqual([
    ["lights.Openscan.eu Ringlight.is_on"],
    ["lights.Openscan.eu Ringlight.is_on"],
    ["lights.Openscan.eu Ringlight.is_on"],
    ["motors.rotor.angle"],
    ["triggers.external camera.busy"],
    ["triggers.external camera"],
    ["triggers.external camera.busy"],
  ]);
  const is_on = events(listener)
    .slice(0, 3)
    .map(({ device }) => device.lights["Openscan.eu Ringlight"]?.is_on);
  expect(is_on).toEqual([false, true, false]);
});

test("calibration finds the endstop and tells each step", async () => {
  const { api } = await startServer();
  const listener = await api.listen("device");
  const { body, status } = await api.call<{ angle: number }>(
    "PUT",
    "/latest/motors/rotor/endstop-calibration",
  );
  expect({ status, ...body }).toMatchObject({
    status: 200,
    calibrated: true,
    angle: expect.closeTo(90, 0) as number,
    busy: false,
  });
  await listener.find(changed("motors.rotor.calibrated"));
  expect(events(listener).some(({ device }) => device.motors["rotor"]?.endstop?.is_pressed)).toBe(true);
});

test("a configuration change ends with everything, and with the new device", async () => {
  const { api } = await startServer();
  const listener = await api.listen("device");
  const { body: list } = await api.call<{ configs: { filename: string; path: string }[] }>(
    "GET",
    "/latest/device/configurations",
  );
  expect(list.configs.map(({ filename }) => filename)).toContain("device_config.json");
  const unknown = await api.call<{ detail: { available_configs: string[] } }>(
    "PUT",
    "/latest/device/configurations/current",
    { config_file: "../../etc/passwd" },
  );
  expect(unknown.status).toBe(404);
  expect(paths(listener)).toEqual([]);
  expect((await api.call("POST", "/latest/device/configurations/current/initialize")).body).toMatchObject({
    success: true,
  });
  await listener.find(({ changed: path }) => path === null);
  expect(events(listener).at(-1)).toMatchObject({ changed: null, device: { initialized: true } });
});

test("D2: an unconfigured device answers 503, keeps both streams open and tells when it is configured", async () => {
  const { api } = await startServer({ name: "Unknown device" });
  const listener = await api.listen("device", "/v0.9");
  const tasks = await api.listen("tasks", "/v0.9");
  const info = await api.call("GET", "/v0.9/device/info");
  expect(info).toMatchObject({
    status: 503,
    body: {
      detail: {
        message: "Device configuration is not loaded.",
        errors: [{ loc: ["model"] }, { loc: ["shield"] }],
      },
    },
  });
  for (const version of ["v0.8", "next"])
    expect(await api.call("GET", `/${version}/device/info`)).toMatchObject({ status: 503, body: info.body });
  expect(Object.keys((await api.call<object>("GET", "/v0.9/cameras/")).body)).toHaveLength(1);
  // Everything else answers as ever.
  for (const path of ["", "/motors/", "/lights/", "/tasks/", "/projects/", "/gpio/", "/firmware/settings"])
    expect((await api.call("GET", `/v0.9${path}`)).status, path).toBe(200);
  for (const [method, path] of [
    ["POST", "/device/wakeup"],
    ["PATCH", "/device/configurations/current"],
    ["POST", "/device/configurations/current/initialize"],
  ] as const)
    expect(await api.call(method, `/v0.9${path}`), path).toMatchObject({
      status: 200,
      body: { status: { model: null, shield: null } },
    });
  await api.call("PUT", "/v0.9/device/configurations/current", {
    config_file: "default_mini_greenshield.json",
  });
  const event = await listener.find(
    ({ changed: path, device }) => path === null && (device as DeviceStatus).model !== null,
  );
  expect(event).toMatchObject({
    device: { model: "mini", shield: "greenshield", motors: { rotor: {}, turntable: {} } },
  });
  expect((await api.call("GET", "/v0.9/device/info")).status).toBe(200);
  expect(tasks.socket.readyState).toBe(tasks.socket.OPEN);
});

test("the first thing told after a boot is the whole device", async () => {
  const { api, initialize } = await listeningServer();
  const listener = await api.listen("device");
  expect((await api.call("GET", "/health")).body).toMatchObject({ status: "starting" });
  // A UI asks as soon as its socket is open; it must not be told that there is no device.
  const early = api.call("GET", "/next/device/info");
  await initialize();
  await listener.find(({ changed: path }) => path === null);
  const whole = events(listener).at(-1);
  expect(whole).toMatchObject({
    changed: null,
    device: { initialized: true, name: "Simulated OpenScan Mini" },
  });
  expect(await early).toMatchObject({ status: 200, body: whole?.device });
  expect((await api.call("GET", "/health")).body).toMatchObject({ status: "ok" });
});
