import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { Agent } from "node:http";
import { dirname, join } from "node:path";
import {
  type DeviceConfiguration,
  ErrorBody,
  type Scan,
  type Task,
  terminalStatuses,
} from "@openscan/protocol";
import type { OpenApiDocument } from "@openscan/protocol/openapi";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { became } from "./support/api.js";
import { quickConfiguration } from "./support/folder.js";
import { type FuzzedOperation, operationsOf } from "./support/fuzz/operations.js";
import { type FuzzedRequest, requestsTo } from "./support/fuzz/requests.js";
import { send } from "./support/fuzz/send.js";
import type { Known } from "./support/fuzz/values.js";
import { keptServer } from "./support/in-process.js";
import { recordingLogger } from "@openscan/runtime/testing";

/** `OPENSCAN_FUZZ=5000 OPENSCAN_SEED=random npx vitest run fuzz` looks for more. */
const requests = Number(process.env["OPENSCAN_FUZZ"] ?? 200);
const seed = process.env["OPENSCAN_SEED"] === "random" ? Math.floor(Math.random() * 2 ** 31) : 20261129;
const AT_ONCE = 8;
const versions = ["v0.8", "v0.9", "next"];

/** Pictures as small as they come, moves as short: what is asked matters here, not what is seen. */
async function configuration(): Promise<DeviceConfiguration> {
  const quick = await quickConfiguration();
  for (const { settings } of Object.values(quick.cameras))
    Object.assign(settings, { photo_resolution: [96, 72], preview_resolution: [64, 48] });
  for (const motor of Object.values(quick.motors)) motor.steps_per_rotation = 400;
  const shutter = { pin: 10, enabled: true, active_level: "active_high", pulse_width_ms: 1 } as const;
  return { ...quick, triggers: { shutter } };
}

const log = recordingLogger();
const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE });
const server = await keptServer(await configuration(), { log });
const { api } = server;
const root = dirname(server.folder.directories.projectDir);
const outside = join(root, "outside");
const operations = operationsOf(
  Object.fromEntries(
    await Promise.all(
      versions.map(async (mount) => {
        const { body } = await api.call<OpenApiDocument>("GET", `/${mount}/openapi.json`);
        return [mount, body] as const;
      }),
    ),
  ),
);
/** What exists here, so that requests get beyond the search for it. */
const values: Record<string, readonly unknown[]> = {
  camera_name: ["simulated_camera"],
  motor_name: ["rotor", "turntable"],
  light_name: ["Openscan.eu Ringlight"],
  trigger_name: ["shutter"],
  project_name: ["Vase"],
  scan_index: [1],
  scan_indices: [[1], [1, 1], [1, 2]],
  args: [[], ["Vase", 1], ["simulated_camera"]],
  kwargs: [{}],
  task_name: ["hello_world_async_task", "focus_stacking_task", "scan_task", "crop_task", "qr_scan_task"],
  filename: ["scan01_000_fs00.jpg", "known.json", "metadata/scan01_000_fs00.json"],
  config_file: ["known.json", "device_config", "default_mini_greenshield.json"],
  key: ["enable_cloud", "qr_wifi_scan_enabled"],
  method: ["fibonacci"],
  min_theta: [20, 60],
  max_theta: [60, 110],
  min_phi: [0, 90],
  max_phi: [90, 360],
  points: [1, 2],
  focus_stacks: [1, 2],
  optimization_algorithm: ["none", "nearest_neighbor"],
  host: ["http://127.0.0.1:9"],
  pin_id: [5, 17, 21],
};
const names: Record<string, readonly string[]> = {
  cameras: ["simulated_camera"],
  motors: ["rotor", "turntable"],
  lights: ["Openscan.eu Ringlight"],
  triggers: ["shutter"],
};
/** Nobody waits for hours here. */
const quick = {
  delay: [0],
  duration: [0.01],
  poll_interval: [0.1],
  pause_before_capture_ms: [0, 1],
  post_trigger_delay_ms: [0, 2],
  pre_trigger_delay_ms: [0, 2],
  shutter: [1, 50],
  timeout_s: [0.1],
  total_steps: [2],
};

beforeAll(async () => {
  await server.initialize();
  await mkdir(outside);
  await writeFile(join(outside, "canary.json"), "{}");
  await writeFile(
    join(server.folder.directories.settingsDir, "device", "known.json"),
    JSON.stringify(await configuration()),
  );
  const { logDir } = server.folder.directories;
  await mkdir(logDir, { recursive: true });
  for (const name of ["openscan_firmware.log", "openscan_detailed_log.json"])
    await writeFile(join(logDir, name), '{"levelname":"INFO","message":"a line"}\n');
  await tidyUp();
}, 120_000);

afterAll(async () => {
  agent.destroy();
  await server.close();
  await server.folder.remove();
});

test("every operation of every version is asked", () => {
  expect(new Set(operations.map(({ id }) => id)).size).toBeGreaterThan(106);
});

test.each(operations.map((operation) => [`${operation.mount} ${operation.id}`, operation] as const))(
  "%s: whatever comes is answered, and not with a 500",
  async (_name, operation) => {
    const statuses = await fuzz(operation);
    await tidyUp();
    expect([...statuses.values()].reduce((sum, count) => sum + count, 0)).toBe(requests);
    if (process.env["OPENSCAN_FUZZ_REPORT"])
      process.stdout.write(`${operation.id} ${JSON.stringify([...statuses].sort())}\n`);
  },
  180_000,
);

test("nothing was written beside the server's folders, and the scanner still works", async () => {
  expect(["logs", "outside", "projects", "runtime", "settings"]).toEqual(
    expect.arrayContaining(await readdir(root)),
  );
  expect(await readdir(outside)).toEqual(["canary.json"]);
  expect(await readFile(join(outside, "canary.json"), "utf8")).toBe("{}");
  const tasks = await api.listen("tasks");
  const { id } = await api.startScan("After", { points: 2 });
  await tasks.find(became(id, "completed", "error"));
  expect((await api.call("GET", `/next/tasks/${id}`)).body).toMatchObject({ status: "completed" });
  expect((await api.call("GET", "/next/device/info")).body).toMatchObject({ initialized: true });
}, 60_000);

/** Everything that was started ends; device and project are those that the requests know. */
async function tidyUp(): Promise<void> {
  const { body: tasks } = await api.call<Task[]>("GET", "/next/tasks/");
  for (const { id, status } of tasks)
    if (!terminalStatuses.has(status)) await api.call("DELETE", `/next/tasks/${id}`);
  await vi.waitFor(async () => {
    const { status } = await api.call("PUT", "/next/device/configurations/current", {
      config_file: "known.json",
    });
    expect(status).toBe(200);
  }, 60_000);
  await api.call("POST", "/next/cloud/settings", { token: "a token of nobody", host: "http://127.0.0.1:9" });
  const scan = await api.call<Scan>("GET", "/next/projects/Vase/scans/1");
  if (scan.body.status === "completed" && scan.body.photos.length === 4) return;
  await api.call("DELETE", "/next/projects/Vase");
  const events = await api.listen("tasks");
  const { id } = await api.startScan("Vase", { points: 2, focus_stacks: 2 });
  await events.find(became(id, "completed"));
  events.socket.close();
  values["task_id"] = [id];
}

function knownTo({ path }: FuzzedOperation): Known {
  const name = names[path.split("/")[1] ?? ""];
  return { values: { ...values, ...(name && { name }) }, quick, outside };
}

async function fuzz(operation: FuzzedOperation): Promise<Map<number, number>> {
  const waiting = fc.sample(requestsTo(operation, knownTo(operation)), { numRuns: requests, seed });
  const statuses = new Map<number, number>();
  const sender = async () => {
    for (let request = waiting.pop(); request; request = waiting.pop()) {
      const { status } = await check(operation, request);
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, sender));
  return statuses;
}

/** The server itself checks its JSON replies against their schemas here, and answers 500 when one does not fit. */
async function check(operation: FuzzedOperation, request: FuzzedRequest) {
  const shown = `${request.method} ${request.path} ${request.body ?? ""} (seed ${seed})`;
  const reply = await send(api.url, request, { agent, endless: operation.media !== undefined }).catch(
    (cause: unknown) => {
      throw new Error(shown, { cause });
    },
  );
  const lines = () =>
    log.lines
      .slice(-3)
      .map((line) => JSON.stringify(line))
      .join("\n");
  expect(
    reply.status,
    `${shown}\n${reply.body.slice(0, 300)}\n${reply.status === 500 ? lines() : ""}`,
  ).not.toBe(500);
  if (reply.status >= 400)
    expect(ErrorBody.safeParse(JSON.parse(reply.body)).error, `${shown}\n${reply.body}`).toBeUndefined();
  return reply;
}
