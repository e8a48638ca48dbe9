import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { MotorStatus, Task } from "@openscan/protocol";
import { expect, onTestFinished, test } from "vitest";
import { became } from "./support/api.js";
import { spawnServer } from "./support/child.js";
import { createFolder, quickConfiguration } from "./support/folder.js";
import { startServer } from "./support/in-process.js";

const hello = "/latest/tasks/hello_world_async_task";
const long = { kwargs: { total_steps: 1, delay: 3600 } };

test("a task is created with or without a body, and answers 202", async () => {
  const { api } = await startServer();
  for (const body of [
    undefined,
    {},
    { args: [1] },
    { args: [], kwargs: {} },
    { kwargs: { delay: 0 }, more: 1 },
  ]) {
    const { status, body: task } = await api.call<Task>("POST", hello, body);
    expect(status).toBe(202);
    expect(task).toMatchObject({
      name: "hello_world_async_task",
      run_args: body?.args ?? [],
      run_kwargs: body?.kwargs ?? {},
    });
  }
  expect((await api.call<Task[]>("GET", "/latest/tasks/")).body).toHaveLength(5);
});

test("defect 36: what cannot be a task's arguments is a 422, an unknown type a 404; nothing is created", async () => {
  const { api } = await startServer();
  const bad: unknown[] = [
    { args: {} },
    { args: "x" },
    { kwargs: [] },
    { kwargs: null },
    [],
    "text",
    { args: [1, 2, 3] },
    { args: [1], kwargs: { total_steps: 1 } },
    // Names of the manager's own parameters are as wrong as any other.
    ...["task_name", "name", "type", "args", "kwargs", "self", "constructor"].map((name) => ({
      kwargs: Object.fromEntries([[name, 1]]),
    })),
    { kwargs: { delay: 1e12 } },
    { kwargs: { delay: "never" } },
  ];
  for (const body of bad) {
    const { status, body: answer } = await api.call("POST", hello, body);
    expect([body, status, answer]).toEqual([body, 422, { detail: expect.anything() as unknown }]);
  }
  // A forged scan does not get past the bookkeeping of scans.
  const forged = {
    args: [{ project_name: "../..", index: 1, camera_name: "simulated_camera", task_id: "x" }, 0],
  };
  expect((await api.call("POST", "/latest/tasks/scan_task", forged)).status).toBe(404);
  for (const name of ["no_task", "constructor", "__proto__", "..%2Fx", "%00"])
    expect([name, (await api.call("POST", `/latest/tasks/${name}`, {})).status]).toEqual([name, 404]);
  expect((await api.call("GET", "/latest/tasks/")).body).toEqual([]);
});

test("an unknown task is a 404 for every verb", async () => {
  const { api } = await startServer();
  for (const [method, path] of [
    ["GET", ""],
    ["DELETE", ""],
    ["POST", "/pause"],
    ["POST", "/resume"],
  ] as const)
    for (const id of ["none", "..%2Fx", "constructor", "%F0%9F%93%B7"])
      expect([method, id, (await api.call(method, `/latest/tasks/${id}${path}`)).status]).toEqual([
        method,
        id,
        404,
      ]);
});

test("pause and resume change only what they can, a cancel ends it for good", async () => {
  const { api } = await startServer();
  const { body: task } = await api.call<Task>("POST", hello, long);
  const call = async (method: string, path: string) => {
    const { status, body } = await api.call<Task>(method, `/latest/tasks/${task.id}${path}`);
    return [status, body.status];
  };
  expect(await call("POST", "/resume")).toEqual([200, "running"]);
  expect(await call("POST", "/pause")).toEqual([200, "paused"]);
  expect(await call("POST", "/pause")).toEqual([200, "paused"]);
  expect(await call("POST", "/resume")).toEqual([200, "running"]);
  expect(await call("DELETE", "")).toEqual([200, "cancelled"]);
  const { body: ended } = await api.call("GET", `/latest/tasks/${task.id}`);
  for (const [method, path] of [
    ["DELETE", ""],
    ["POST", "/pause"],
    ["POST", "/resume"],
  ] as const)
    expect((await api.call(method, `/latest/tasks/${task.id}${path}`)).body).toEqual(ended);
});

test("defect 38: a cleanup removes an ended task, answers 204 for what is none, and touches no other file", async () => {
  const { api, folder } = await startServer();
  const { runtimeDir } = folder.directories;
  const tasks = await api.listen("tasks");
  await mkdir(join(runtimeDir, "tasks", "sub"), { recursive: true });
  for (const name of ["secret.json", "tasks/sub/secret.json"]) await writeFile(join(runtimeDir, name), "{}");
  const { body: task } = await api.call<Task>("POST", hello, long);
  const cleanup = async (id: string) => (await api.call("DELETE", `/latest/tasks/${id}/cleanup`)).status;
  expect(await cleanup(task.id)).toBe(409);
  await api.call("POST", `/latest/tasks/${task.id}/pause`);
  expect(await cleanup(task.id)).toBe(409);
  await api.call("DELETE", `/latest/tasks/${task.id}`);
  await tasks.find((message) => became(task.id, "cancelled")(message));
  await expect.poll(() => cleanup(task.id)).toBe(204);
  expect((await api.call("GET", `/latest/tasks/${task.id}`)).status).toBe(404);
  for (const id of [
    task.id,
    "unknown",
    "..%2Fsecret",
    "..%2F..%2Fsettings%2Fdevice%2Fdevice_config",
    "sub%2Fsecret",
    ".%2Fsub%2Fsecret",
    "%2Fetc%2Fpasswd",
    "..%5Csecret",
    "secret%00",
    "%20",
    "x".repeat(4000),
    "%F0%9F%93%B7",
  ])
    expect([id, await cleanup(id)]).toEqual([id, 204]);
  expect(await readdir(runtimeDir)).toContain("secret.json");
  expect(await readdir(join(runtimeDir, "tasks"))).toEqual(["sub"]);
  expect(await readdir(join(runtimeDir, "tasks", "sub"))).toEqual(["secret.json"]);
});

test("a community task is started by its name, uses the hardware, and is known again after a restart", async () => {
  const folder = await createFolder(await quickConfiguration());
  onTestFinished(() => folder.remove());
  const tasksDir = join(folder.directories.runtimeDir, "community-tasks");
  const page = await readFile(new URL("../../../docs/writing-a-task.md", import.meta.url), "utf8");
  await mkdir(tasksDir, { recursive: true });
  await writeFile(join(tasksDir, "turn-round.mjs"), /```js\n(.*?)```/s.exec(page)?.[1] ?? "");
  await writeFile(join(tasksDir, "broken.mjs"), "throw new Error('no luck')");
  const variables = { OPENSCAN_TASK_AUTODISCOVERY: "1", OPENSCAN_COMMUNITY_TASKS_DIR: tasksDir };
  const server = await spawnServer(folder, [], variables);
  const path = "/latest/tasks/turn_round_task";
  const angle = async () =>
    (await server.api.call<MotorStatus>("GET", "/latest/motors/turntable")).body.angle;
  const before = await angle();
  expect((await server.api.call("POST", path, { kwargs: { steps: 0 } })).status).toBe(422);
  const { body: task } = await server.api.call<Task>("POST", path, { args: [4] });
  expect(task).toMatchObject({ is_exclusive: true, run_args: [4] });
  const get = async ({ api }: Pick<typeof server, "api">, id: string) =>
    (await api.call<Task>("GET", `/latest/tasks/${id}`)).body;
  await expect
    .poll(() => get(server, task.id), { timeout: 20_000 })
    .toMatchObject({ status: "completed", result: { steps: 4 } });
  expect(await angle()).toBeCloseTo(before, 0);
  expect(server.output()).toContain("no luck");
  const { body: cut } = await server.api.call<Task>("POST", path, { args: [360] });
  await server.stop("SIGTERM");
  const next = await spawnServer(folder, [], variables);
  expect(await get(next, cut.id)).toMatchObject({ status: "interrupted" });
  await next.stop("SIGTERM");
  // Without the module nobody knows what it was.
  const without = await spawnServer(folder);
  expect(await get(without, cut.id)).toMatchObject({
    status: "error",
    error: expect.stringContaining("turn_round_task") as string,
  });
  expect((await without.api.call("POST", path)).status).toBe(404);
}, 60_000);
