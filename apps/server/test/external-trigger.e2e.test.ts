import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { DeviceStatus, ExternalTriggerRunPath, Task } from "@openscan/protocol";
import { expect, test } from "vitest";
import { type Api, became, type Message, taskOf } from "./support/api.js";
import { quickConfiguration } from "./support/folder.js";
import { startServer } from "./support/in-process.js";

const runs = "/next/external-trigger/runs";
const trigger_name = "external camera";

/** A scanner whose pulses are short. */
async function triggerServer(changes: object = {}, config = {}) {
  const configuration = await quickConfiguration();
  const trigger = { ...configuration.triggers[trigger_name], pulse_width_ms: 1, ...changes };
  return startServer({ ...configuration, triggers: { [trigger_name]: trigger } }, { config });
}
const create = async (api: Api, settings: object, rest: object = {}) =>
  (await api.call<Task>("POST", `${runs}/`, { settings: { trigger_name, ...settings }, ...rest })).body;
const angles = async (api: Api) => {
  const { motors } = (await api.call<DeviceStatus>("GET", "/next/device/info")).body;
  return Object.values(motors).map(({ angle }) => angle);
};
const atRest = [expect.closeTo(90, 0) as number, expect.closeTo(90, 0) as number];
const pulses = (messages: Message[]) =>
  messages.filter(({ changed }) => JSON.stringify(changed) === JSON.stringify([`triggers.${trigger_name}`]))
    .length;

test("a run moves to each position, triggers there, and goes back to rest", async () => {
  const { api, folder } = await triggerServer();
  const [tasks, device] = [await api.listen("tasks"), await api.listen("device")];
  const reply = await api.call<Task>("POST", `${runs}/`, {
    label: "Vase",
    description: "by candlelight",
    settings: { trigger_name, points: 5 },
  });
  expect(reply).toMatchObject({
    status: 202,
    body: { task_type: "external_trigger_run_task", is_exclusive: true },
  });
  const { id } = reply.body;
  const done = taskOf(await tasks.find(became(id, "completed")));
  const file = join(folder.directories.runtimeDir, "external-trigger-runs", id, "path.json");
  expect(done).toMatchObject({
    progress: { current: 5, total: 5 },
    result: { task_id: id, path_path: file },
  });
  expect(pulses(device.messages)).toBe(5);
  await expect.poll(() => angles(api)).toEqual(atRest);
  const path = await api.call<ExternalTriggerRunPath>("GET", `${runs}/${id}/path`);
  expect(path).toMatchObject({ status: 200, body: { task_id: id, total_steps: 5 } });
  expect(path.body).toEqual(JSON.parse(await readFile(file, "utf8")));
  expect(path.body.points.map(({ execution_step }) => execution_step)).toEqual([0, 1, 2, 3, 4]);
  expect((await api.call("GET", `${runs}/${id}`)).body).toMatchObject({
    id,
    run_kwargs: { label: "Vase", description: "by candlelight" },
  });
});

test("runs are listed newest first, and only runs", async () => {
  const { api } = await triggerServer();
  const tasks = await api.listen("tasks");
  const ids = [];
  for (const points of [1, 2]) {
    const { id } = await create(api, { points });
    await tasks.find(became(id, "completed"));
    ids.unshift(id);
  }
  await api.call("POST", "/next/tasks/hello_world_async_task");
  const listed = (await api.call<Task[]>("GET", `${runs}/`)).body;
  expect(listed.map(({ id }) => id)).toEqual(ids);
  expect((await api.call("GET", "/v0.9/external-trigger/runs/")).status).toBe(404);
});

test("what cannot succeed is refused before anything is created", async () => {
  const { api } = await triggerServer();
  const refused = async (settings: object) =>
    (await api.call("POST", `${runs}/`, { settings: { trigger_name, ...settings } })).status;
  expect(await refused({ trigger_name: "none" })).toBe(404);
  for (const settings of [
    { trigger_name: "" },
    { trigger_name: undefined },
    { points: 0 },
    { points: 1000 },
    { max_theta: 179 },
    { min_theta: 100, max_theta: 50 },
    { pre_trigger_delay_ms: 600_001 },
    { post_trigger_delay_ms: -1 },
    { optimization_algorithm: "magic" },
    { path_method: "spiral" },
  ])
    expect(await refused(settings), JSON.stringify(settings)).toBe(422);
  expect((await api.call("GET", `${runs}/`)).body).toEqual([]);
});

test("a disabled trigger is refused with 409, and ends a run that is under way", async () => {
  const { api } = await triggerServer();
  const tasks = await api.listen("tasks");
  const settings = `/next/triggers/${encodeURIComponent(trigger_name)}/settings`;
  const { id } = await create(api, { points: 50 });
  await tasks.find((message) => message.type === "task.update" && taskOf(message).progress.current >= 2);
  await api.call("PATCH", settings, { enabled: false });
  const failed = taskOf(await tasks.find(became(id, "error")));
  expect(failed.error).toContain("is disabled");
  await expect.poll(() => angles(api)).toEqual(atRest);
  const reply = await api.call("POST", `${runs}/`, { settings: { trigger_name, points: 1 } });
  expect(reply).toMatchObject({ status: 409, body: { detail: `trigger ${trigger_name} is disabled` } });
});

test("a run pauses between two positions, goes on, and when it is cancelled goes back to rest", async () => {
  const { api } = await triggerServer();
  const [tasks, device] = [await api.listen("tasks"), await api.listen("device")];
  const { id } = await create(api, { points: 300 });
  const at = (least: number) => (message: Message) =>
    message.type === "task.update" && taskOf(message).id === id && taskOf(message).progress.current >= least;
  await tasks.find(at(2));
  expect((await api.call("PATCH", `${runs}/${id}/pause`)).body).toMatchObject({ status: "paused" });
  await expect.poll(async () => (await api.call<Task>("GET", `${runs}/${id}`)).body.status).toBe("paused");
  const { progress } = (await api.call<Task>("GET", `${runs}/${id}`)).body;
  expect((await api.call("PATCH", `${runs}/${id}/resume`)).body).toMatchObject({ status: "running" });
  await tasks.find(at(progress.current + 3));
  expect((await api.call("PATCH", `${runs}/${id}/cancel`)).body).toMatchObject({ status: "cancelled" });
  await expect.poll(() => angles(api)).toEqual(atRest);
  const { triggers } = (await api.call<DeviceStatus>("GET", "/next/device/info")).body;
  expect(triggers[trigger_name]).toMatchObject({ busy: false });
  expect(pulses(device.messages)).toBeLessThan(300);
});

test("after a restart of the process a run goes on where it was, along the same path", async () => {
  const first = await triggerServer();
  const tasks = await first.api.listen("tasks");
  const { id } = await create(first.api, { points: 12 });
  await tasks.find((message) => message.type === "task.update" && taskOf(message).progress.current >= 3);
  const path = (await first.api.call("GET", `${runs}/${id}/path`)).body;
  await first.close();

  const second = await triggerServer({}, first.folder.directories);
  const { api } = second;
  const [again, device] = [await api.listen("tasks"), await api.listen("device")];
  expect((await api.call("GET", `${runs}/${id}`)).body).toMatchObject({ status: "interrupted" });
  const file = join(first.folder.directories.runtimeDir, "external-trigger-runs", id, "progress.json");
  const { finished } = JSON.parse(await readFile(file, "utf8")) as { finished: number };
  expect(finished).toBeGreaterThanOrEqual(3);
  await api.call("PATCH", `${runs}/${id}/resume`);
  await again.find(became(id, "completed"));
  expect(pulses(device.messages)).toBe(12 - finished);
  expect((await api.call("GET", `${runs}/${id}/path`)).body).toEqual(path);
});

test("defect 36: a run's routes leave other tasks alone", async () => {
  const { api } = await triggerServer();
  const tasks = await api.listen("tasks");
  const { id } = await api.startScan("vase", { points: 20, pause_before_capture_ms: 60_000 });
  await tasks.find(became(id, "running"));
  for (const verb of ["pause", "resume", "cancel"])
    expect((await api.call("PATCH", `${runs}/${id}/${verb}`)).status).toBe(404);
  expect((await api.call("GET", `${runs}/${id}`)).status).toBe(404);
  expect((await api.call<Task>("GET", `/next/tasks/${id}`)).body.status).toBe("running");
});

test("defect 38: an id that leads elsewhere is unknown", async () => {
  const { api, folder } = await triggerServer();
  await writeFile(join(folder.directories.runtimeDir, "path.json"), '{"task_id": "secret", "points": []}');
  for (const id of [
    "..",
    "%2e%2e",
    "..%2F..",
    "%2E%2E%2Fruntime",
    "x",
    "0b9c8f57-6f0f-4f5e-8a53-0d1a3a3c5b0e",
  ])
    expect((await api.call("GET", `${runs}/${id}/path`)).status, id).toBe(404);
});
