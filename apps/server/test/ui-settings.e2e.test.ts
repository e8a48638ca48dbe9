import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { ConfigurationFile, DeviceControl, DeviceStatus, MotorStatus } from "@openscan/protocol";
import { expect, test } from "vitest";
import type { Listener, Message } from "./support/api.js";
import { startServer } from "./support/in-process.js";

// What the shipped web UI (API v0.9) does in its set-up assistant and on its settings page, request by request.

const at = "/api/v0.9";
const ring = `${at}/lights/Openscan.eu%20Ringlight`;
const camera = `${at}/cameras/simulated_camera`;

/** What was told since the last call: the paths of each event. */
function toldBy({ messages }: Listener): () => (string | null)[] {
  let seen = 0;
  return () => {
    const news = messages.slice(seen).filter(({ type }) => type === "device.status");
    seen = messages.length;
    return news.map(({ changed }) => (changed === null ? null : (changed as string[]).join()));
  };
}
const deviceOf = (message: Message) => message["device"] as DeviceStatus;

test("set-up assistant: from the banner to a device that needs none", async () => {
  const { api } = await startServer({ name: "Unknown device" });
  const [device, tasks] = [await api.listen("device", at), await api.listen("tasks", at)];
  const isUnconfigured = async () => {
    const { status, body } = await api.call<{ detail?: { message?: string } }>("GET", `${at}/device/info`);
    return status !== 200 && body.detail?.message?.includes("Device configuration is not loaded.");
  };
  expect(await isUnconfigured()).toBe(true);
  // Asked for once, before anything is configured: it must list what is attached.
  expect(Object.keys((await api.call<object>("GET", `${at}/cameras/`)).body)).toEqual(["simulated_camera"]);
  const { configs } = (
    await api.call<{ configs: { filename: string; path: string; name?: string; model?: string | null }[] }>(
      "GET",
      `${at}/device/configurations`,
    )
  ).body;
  expect(new Set(configs.map(({ path }) => path)).size).toBe(configs.length);
  const mini = configs.find(({ filename }) => filename === "default_mini_blackshield.json");
  expect(mini).toMatchObject({
    name: "Mini v2 (Blackshield)",
    model: "mini",
    shield: "blackshield",
  });

  const applied = await api.call("PUT", `${at}/device/configurations/current`, { config_file: mini?.path });
  expect(applied).toMatchObject({ status: 200, body: { success: true } });
  // The next step of the assistant knows the device from this event alone, and its motors from there.
  const whole = deviceOf(await device.find(({ changed }) => changed === null));
  expect(whole).toMatchObject({
    model: "mini",
    motors: { rotor: { angle: 90, busy: false, calibrated: false }, turntable: {} },
    cameras: { simulated_camera: { settings: {} } },
    lights: { "Blackshield Ringlight": { is_on: true, settings: { pins: [24, 26] } } },
    endstops: { "rotor-endstop": { settings: { motor_name: "rotor", pin: 17, angular_position: 145 } } },
  });
  const move = await api.call<MotorStatus>("PATCH", `${at}/motors/rotor/angle`, { degrees: -5 });
  expect(move).toMatchObject({ status: 200, body: { busy: false, angle: expect.closeTo(85, 0) as number } });
  const turned = await api.call("PATCH", `${at}/motors/rotor/settings`, { direction: 1 });
  expect(turned).toMatchObject({ status: 200, body: { direction: 1, step_pin: 27, min_angle: 0 } });
  const override = await api.call("PUT", `${at}/motors/rotor/angle-override?angle=90`);
  expect(override).toMatchObject({ status: 200, body: { angle: 90 } });
  const upright = { orientation_flag: 6, crop_width: 0, crop_height: 0 };
  expect((await api.call("PATCH", `${camera}/settings`, upright)).body).toMatchObject(upright);
  expect((await api.call<DeviceStatus>("GET", `${at}/device/info`)).body).toMatchObject({
    motors: { rotor: { angle: 90, settings: { direction: 1 } } },
    cameras: { simulated_camera: { settings: upright } },
  });
  for (const { socket } of [device, tasks]) expect(socket.readyState).toBe(socket.OPEN);
});

test("settings page: each form is answered with all its settings, and is there after a save and a restart", async () => {
  const first = await startServer();
  const { api } = first;
  expect((await api.call("POST", `${at}/device/wakeup`)).status).toBe(200);
  expect((await api.call("GET", "/api/versions")).body).toMatchObject({ latest: "v0.9" });
  const forms: [string, object][] = [
    [`${at}/motors/rotor/settings`, { acceleration: 9000, max_speed: 4000 }],
    [`${ring}/settings`, { pins: [17] }],
    // The form sends null for what is not set.
    [`${camera}/settings`, { shutter: 80, gain: 2, AF: null, manual_focus: null, crop_width: 5 }],
  ];
  for (const [path, values] of forms) {
    const given = Object.fromEntries(Object.entries(values).filter(([, value]) => value !== null));
    const before = (await api.call<object>("GET", path)).body;
    const reply = await api.call("PATCH", path, values);
    expect(reply).toEqual({ ...reply, status: 200, body: { ...before, ...given } });
    const saved = await api.call<DeviceControl>("PATCH", `${at}/device/configurations/current`);
    expect(saved).toMatchObject({ status: 200, body: { success: true } });
  }
  await first.close();
  const second = await startServer(undefined, { config: first.folder.directories });
  for (const [path, values] of forms) {
    const given = Object.fromEntries(Object.entries(values).filter(([, value]) => value !== null));
    expect((await second.api.call("GET", path)).body).toMatchObject(given);
  }
});

test("settings page: an edit of the whole configuration comes back as it was sent", async () => {
  const { api, folder } = await startServer();
  const device = await api.listen("device", at);
  const { config, path } = (await api.call<ConfigurationFile>("GET", `${at}/device/configurations/current`))
    .body;
  // As the UI does for v0.9.
  const { idle_timeout: _, ...rest } = config;
  const edited = {
    ...rest,
    name: "modified in frontend",
    scan_radius_mm: 123.5,
    motors_timeout: 60,
    startup_mode: "startup_idle",
    calibrate_mode: "calibrate_on_home",
    lights: { ...(config["lights"] as object), Spot: { pins: [3], pwm_support: false } },
  };
  const added = await api.call("POST", `${at}/device/configurations/`, {
    config_data: edited,
    filename: { config_file: "frontend_config.json" },
  });
  expect(added).toMatchObject({ status: 200, body: { success: true } });
  const applied = await api.call("PUT", `${at}/device/configurations/current`, {
    config_file: "frontend_config.json",
  });
  expect(applied.status).toBe(200);
  await device.find(({ changed }) => changed === null);
  expect((await api.call("GET", `${at}/device/info`)).body).toMatchObject({
    name: "modified in frontend",
    scan_radius_mm: 123.5,
    lights: { Spot: { settings: { pins: [3] } } },
  });
  const list = (await api.call<{ configs: { filename: string }[] }>("GET", `${at}/device/configurations`))
    .body;
  expect(list.configs.map(({ filename }) => filename)).toContain("frontend_config.json");
  const again = (await api.call<ConfigurationFile>("GET", `${at}/device/configurations/current`)).body;
  expect(again).toMatchObject({ filename: "device_config.json", path, config: edited });
  expect(again.config).toMatchObject({ idle_timeout: 60 });
  const { settingsDir } = folder.directories;
  expect(await readFile(join(settingsDir, "device/device_config.json"), "utf8")).toContain("123.5");
});

test("dashboard: the light's switch and the motors without a body; each change is told at once", async () => {
  const { api } = await startServer();
  const device = await api.listen("device", at);
  const told = toldBy(device);
  const toggled = await api.call("PATCH", `${ring}/toggle`);
  expect(toggled).toMatchObject({ status: 200, body: { is_on: false } });
  await device.find((message) => deviceOf(message).lights["Openscan.eu Ringlight"]?.is_on === false);
  expect(told()).toEqual(["lights.Openscan.eu Ringlight.is_on"]);

  expect((await api.call("PATCH", `${at}/motors/turntable/angle`, { degrees: 20 })).body).toMatchObject({
    angle: expect.closeTo(110, 0) as number,
  });
  expect((await api.call("PUT", `${at}/motors/rotor/home`)).status).toBe(200);
  expect(await api.call("PUT", `${at}/develop/scanner-position`, { theta: 90, fi: 0, r: 1 })).toMatchObject({
    status: 200,
    body: null,
  });
  // Begin and end of each move.
  for (const motor of ["rotor", "turntable"])
    await device.count(4, ({ changed }) => JSON.stringify(changed) === `["motors.${motor}.busy"]`);
  told();
  await api.call("PATCH", `${camera}/settings`, { gain: 2 });
  await device.find(({ changed }) => JSON.stringify(changed) === '["cameras.simulated_camera.settings"]');
  expect(told().at(-1)).toBe("cameras.simulated_camera.settings");
  await api.call("PATCH", `${at}/motors/rotor/settings`, { max_speed: 6000 });
  await device.find(({ changed }) => JSON.stringify(changed) === '["motors.rotor.settings"]');
});

test("E1 comes last: lights and triggers of a configuration are told before the whole", async () => {
  const { api } = await startServer();
  const device = await api.listen("device", at);
  const told = toldBy(device);
  await api.call("PUT", `${at}/device/configurations/current`, { config_file: "simulated_mini.json" });
  await device.find(({ changed }) => changed === null);
  const paths = told();
  expect(paths.at(-1)).toBeNull();
  expect(paths.filter((path) => path === null)).toHaveLength(1);
  for (const path of [
    "lights.Openscan.eu Ringlight.settings",
    "lights.Openscan.eu Ringlight.is_on",
    "triggers.external camera.settings",
  ])
    expect(paths).toContain(path);
});

test("what needs no body takes none, an empty one, and one that is not asked for", async () => {
  const { api } = await startServer();
  const requests = [
    ["PATCH", `${ring}/turn_on`],
    ["PATCH", `${at}/device/configurations/current`],
    ["PUT", `${at}/motors/rotor/home`],
    ["PUT", `${at}/motors/rotor/angle-override`],
    ["POST", `${at}/device/wakeup`],
    ["POST", `${at}/device/configurations/current/initialize`],
    ["PATCH", `${at}/gpio/20?status=true`],
  ] as const;
  for (const [method, path] of requests) {
    const init = [
      { method },
      { method, headers: { "Content-Type": "application/json" }, body: "" },
      { method, headers: { "Content-Type": "application/json" }, body: '{"unasked": 1}' },
    ];
    for (const request of init) {
      const reply = await fetch(`${api.url}${path}`, request);
      expect(reply.status, `${method} ${path} ${request.body}`).toBe(200);
      await reply.arrayBuffer();
    }
  }
});

test("D21: a motor that moves can be stopped; what moved it says where", async () => {
  const { api } = await startServer();
  await api.call("PATCH", `${at}/motors/turntable/settings`, { max_speed: 100 });
  const device = await api.listen("device", at);
  const move = api.call("PATCH", `${at}/motors/turntable/angle`, { degrees: 170 });
  await device.find((message) => deviceOf(message).motors["turntable"]?.busy === true);
  const stopped = await api.call<MotorStatus>("PUT", `${at}/motors/turntable/stop`);
  expect(stopped).toMatchObject({ status: 200, body: { busy: false, target_angle: null } });
  expect(stopped.body.angle).toBeLessThan(260);
  expect(await move).toMatchObject({
    status: 409,
    body: { detail: expect.stringContaining("was stopped at") as string },
  });
  expect((await api.call("PUT", `${at}/motors/turntable/stop`)).status).toBe(200);
  expect((await api.call("PUT", `${at}/motors/none/stop`)).status).toBe(404);
});

test("an angle that is no number is refused everywhere, and the motor's own stays one", async () => {
  const { api } = await startServer();
  for (const value of ["nan", "inf", "-Infinity", "1e999", "x"])
    for (const path of [`angle-override?angle=${value}`, `angle?degrees=${value}`])
      expect((await api.call("PUT", `${at}/motors/rotor/${path}`)).status, path).toBe(422);
  for (const degrees of ["nan", "inf", null, [], "1e999"])
    expect((await api.call("PATCH", `${at}/motors/rotor/angle`, { degrees })).status).toBe(422);
  expect((await api.call<MotorStatus>("GET", `${at}/motors/rotor`)).body.angle).toBe(90);
});
