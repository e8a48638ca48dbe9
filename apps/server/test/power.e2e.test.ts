import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type DeviceControl, type DeviceStatus, ScanError } from "@openscan/protocol";
import { expect, test } from "vitest";
import type { PowerAction } from "../src/device/machine.js";
import { became } from "./support/api.js";
import { quickConfiguration } from "./support/folder.js";
import { startServer, type TestServer } from "./support/in-process.js";

const current = ({ folder }: TestServer) => join(folder.directories.settingsDir, "device/device_config.json");
const state = async ({ folder }: TestServer) =>
  JSON.parse(await readFile(join(folder.directories.runtimeDir, "firmware_state.lock"), "utf8")) as {
    unclean_shutdown: boolean;
  };

test.each([
  ["reboot", 1012],
  ["shutdown", 1001],
] as const)("%s answers true, then lets go of everything and notes a clean end", async (action, code) => {
  const asked: PowerAction[] = [];
  const server = await startServer(undefined, { goDown: async (which) => void asked.push(which) });
  const device = await server.api.listen("device");
  expect(await server.api.call("POST", `/v0.9/device/${action}`)).toMatchObject({ status: 200, body: true });
  expect((await device.closed).code).toBe(code);
  await server.close();
  expect(asked).toEqual([action]);
  expect((await state(server)).unclean_shutdown).toBe(false);
});

test("a reboot saves the running configuration when it is asked to, and a scan can go on after it", async () => {
  const server = await startServer(undefined, { goDown: async () => {} });
  const tasks = await server.api.listen("tasks");
  await server.api.call("PATCH", "/v0.9/motors/rotor/settings", { max_speed: 7000 });
  const { id } = await server.api.startScan("vase", { points: 20, pause_before_capture_ms: 60_000 });
  await tasks.find(became(id, "running"));
  await server.api.call("POST", "/v0.9/device/reboot?save_config=true");
  await tasks.find(became(id, "interrupted"));
  await server.close();
  const saved = JSON.parse(await readFile(current(server), "utf8")) as { motors: { rotor: object } };
  expect(saved.motors.rotor).toMatchObject({ max_speed: 7000 });
});

test("D25: a refused reboot is reported, and the scanner works on", async () => {
  const server = await startServer(undefined, {
    goDown: async () => {
      throw new ScanError("hardware_fault", "reboot was refused: Access denied");
    },
  });
  expect(await server.api.call("POST", "/v0.8/device/reboot")).toMatchObject({
    status: 503,
    body: { detail: "reboot was refused: Access denied" },
  });
  expect((await server.api.call("PATCH", "/v0.9/motors/rotor/angle", { degrees: 5 })).status).toBe(200);
  expect((await state(server)).unclean_shutdown).toBe(true);
});

test("D25: nobody can switch off a computer that is no scanner", async () => {
  const server = await startServer();
  for (const action of ["reboot", "shutdown"])
    expect((await server.api.call("POST", `/next/device/${action}`)).status).toBe(501);
  expect((await server.api.call("GET", "/next/device/info")).status).toBe(200);
});

test.each(["v0.8", "v0.9", "next"])(
  "S1: POST /%s/device/wakeup wakes an idle device, and is told of it",
  async (version) => {
    const configuration = { ...(await quickConfiguration()), startup_mode: "startup_idle" };
    const { api } = await startServer(configuration);
    const device = await api.listen("device");
    const isIdle = async () => (await api.call<DeviceStatus>("GET", "/next/device/info")).body.idle;
    expect(await isIdle()).toBe(true);
    const woken = await api.call<DeviceControl>("POST", `/${version}/device/wakeup`);
    expect(woken).toMatchObject({ status: 200, body: { success: true, status: { idle: false } } });
    await device.find(({ changed }) => JSON.stringify(changed) === '["idle"]');
    // The settings page asks with every input: it must cost nothing.
    const heard = device.messages.length;
    expect((await api.call("POST", `/${version}/device/wakeup`)).status).toBe(200);
    expect(device.messages.length).toBe(heard);
  },
);

test("S2: idle_timeout is another name of motors_timeout in files and replies", async () => {
  const server = await startServer();
  const { motors_timeout: _, ...configuration } = await quickConfiguration();
  await writeFile(current(server), JSON.stringify({ ...configuration, idle_timeout: 90 }));
  expect(
    (await server.api.call("POST", "/next/device/configurations/current/initialize")).body,
  ).toMatchObject({
    status: { motors_timeout: 90, idle_timeout: 90 },
  });
  expect((await server.api.call("GET", "/next/device/configurations/current")).body).toMatchObject({
    config: { motors_timeout: 90, idle_timeout: 90 },
  });
  await server.api.call("POST", "/next/device/configurations/", {
    config_data: { ...configuration, motors_timeout: 30, idle_timeout: 60 },
    filename: { config_file: "both" },
  });
  expect((await server.api.call("GET", "/next/device/configurations/both")).body).toMatchObject({
    config: { motors_timeout: 30 },
  });
});
