import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { DeviceStatus, LiveTask, NamespaceName, Task } from "@openscan/protocol";
import { expect, test } from "vitest";
import { type Api, became, type Listener, type Message, type Reply } from "./support/api.js";
import { listeningServer, startServer } from "./support/in-process.js";

const light = "/next/lights/Openscan.eu%20Ringlight";

const positionOf = ({ headers }: Reply<unknown>) => ({
  epoch: headers.get("OpenScan-Epoch") ?? "",
  seq: Number(headers.get("OpenScan-Seq") ?? Number.NaN),
});
const resume = (api: Api, namespace: NamespaceName, { epoch, seq }: ReturnType<typeof positionOf>) =>
  api.listen(namespace, "/next", `?v=1&since=${seq}&epoch=${epoch}`);
const seqOf = (message: Message | undefined) => message?.["seq"] as number;
/** What a listener has heard once it has heard of the newest event. */
async function caughtUp(listener: Listener, seq: number): Promise<Message[]> {
  await listener.find((message) => seqOf(message) >= seq && message.type !== "hello");
  return listener.messages.filter(({ type }) => type !== "hello");
}

test("device: GET, changes, then the stream from there has exactly the rest", async () => {
  const { api } = await startServer();
  const before = await api.call<DeviceStatus>("GET", "/next/device/info");
  for (const verb of ["turn_off", "turn_on", "turn_off"]) await api.call("PATCH", `${light}/${verb}`);
  await api.call("PATCH", "/next/motors/rotor/settings", { max_speed: 6000 });
  const after = await api.call<DeviceStatus>("GET", "/next/device/info");
  const listener = await resume(api, "device", positionOf(before));
  const { seq } = positionOf(after);
  const rest = await caughtUp(listener, seq);
  expect(listener.messages[0]).toMatchObject({
    type: "hello",
    epoch: positionOf(before).epoch,
    resume: { recovered: true },
  });
  expect(seq).toBe(positionOf(before).seq + 4);
  expect(rest).toMatchObject([
    {
      type: "device.status",
      prev: positionOf(before).seq,
      seq,
      changed: ["lights.Openscan.eu Ringlight.is_on", "motors.rotor.settings"],
    },
  ]);
  expect(rest[0]?.["device"]).toEqual(after.body);
});

test("what a request itself changed comes after the position in its reply, a failed request's too", async () => {
  const { api } = await startServer();
  const move = await api.call("PUT", "/next/motors/turntable/angle?degrees=100");
  const moved = await caughtUp(await resume(api, "device", positionOf(move)), positionOf(move).seq + 2);
  expect(moved).toMatchObject([
    {
      type: "device.status",
      changed: ["motors.turntable.busy"],
      device: { motors: { turntable: { busy: false } } },
    },
  ]);
  const refused = await api.call("PATCH", "/next/motors/rotor/settings", { max_speed: -1 });
  expect(refused.status).toBe(422);
  expect(positionOf(refused)).toEqual(positionOf(await api.call("GET", "/next/device/info")));
  expect((await api.call("GET", "/next/projects/")).headers.has("OpenScan-Seq")).toBe(false);
});

test("tasks: GET in the middle of a scan, then the stream from there has every fact after it, once", {
  timeout: 60_000,
}, async () => {
  const { api } = await startServer();
  const whole = await api.listen("tasks", "/next", "?v=1");
  const { id } = await api.startScan("größe 2", { points: 4 });
  await whole.count(2, ({ type }) => type === "photo.captured");
  const snapshot = await api.call<LiveTask[]>("GET", "/next/tasks/");
  const late = resume(api, "tasks", positionOf(snapshot));
  await whole.find(became(id, "completed"));
  await api.call("DELETE", `/next/tasks/${id}/cleanup`);
  const { seq } = positionOf(await api.call("GET", "/next/tasks/"));
  const [all, rest, afterwards] = await Promise.all([
    caughtUp(whole, seq),
    late.then((listener) => caughtUp(listener, seq)),
    resume(api, "tasks", positionOf(snapshot)).then((listener) => caughtUp(listener, seq)),
  ]);
  const facts = (messages: Message[]) =>
    messages.flatMap((message) =>
      seqOf(message) > positionOf(snapshot).seq &&
      (message.type !== "task.update" || became(id, "completed")(message))
        ? [{ ...message, prev: null }]
        : [],
    );
  expect(facts(rest)).toEqual(facts(all));
  expect(facts(afterwards)).toEqual(facts(all));
  expect(
    facts(all)
      .map(({ type }) => type)
      .slice(-2),
  ).toEqual(["task.update", "task.deleted"]);
  for (const messages of [rest, afterwards]) {
    expect(messages.every((message) => seqOf(message) > positionOf(snapshot).seq)).toBe(true);
    const chain = [positionOf(snapshot).seq, ...messages.map(seqOf)];
    expect(messages.map(({ prev }) => prev)).toEqual(chain.slice(0, -1));
  }
  // What was listed is the state that the rest continues: the highest revision is right.
  const listed = snapshot.body.find((task) => task.id === id)!;
  const updates = afterwards.flatMap((message) =>
    message.type === "task.update" ? [(message["task"] as LiveTask).revision] : [],
  );
  expect(updates.at(-1)).toBeGreaterThan(listed.revision);
});

test("a photo that was told of can be fetched below every mount", { timeout: 60_000 }, async () => {
  const { api } = await startServer();
  const tasks = await api.listen("tasks", "/next", "?v=1&types=photo.captured");
  const { id } = await api.startScan("größe 2", { points: 1 });
  const photo = await tasks.find(({ type }) => type === "photo.captured");
  expect(photo).toMatchObject({
    task_id: id,
    project: "größe 2",
    scan: 1,
    file: "scan01_000.jpg",
    stack_index: null,
    sharpness: expect.any(Number) as number,
  });
  for (const mount of ["/v0.8", "/v0.9", "/latest", "/next", "/api/latest"]) {
    const bytes = await api.bytes(`${mount}${photo["url"] as string}`);
    expect([...bytes.subarray(0, 2)]).toEqual([0xff, 0xd8]);
  }
});

test("every task of the API has a revision on next and on no other mount", { timeout: 60_000 }, async () => {
  const { api } = await startServer();
  await api.call("POST", "/latest/projects/vase");
  const camera = "camera_name=simulated_camera";
  /** Uses every endpoint that answers a task; says of each task whether it had a revision. */
  const revisionsOf = async (mount: string) => {
    const shown: boolean[] = [];
    const call = async (method: string, path: string, body?: unknown) => {
      const reply = await api.call<Task | Task[]>(method, mount + path, body);
      expect([reply.status, positionOf(reply).seq >= 0], `${method} ${path}`).toEqual([200, true]);
      const tasks = [reply.body].flat();
      shown.push(...tasks.map((task) => "revision" in task));
      return tasks[0]!;
    };
    const { id, run_args } = await call("POST", `/projects/vase/scan?${camera}`, { points: 99 });
    const scan = `/projects/vase/scans/${(run_args[0] as { index: number }).index}`;
    await call("POST", `/tasks/${id}/pause`);
    await call("POST", `/tasks/${id}/resume`);
    await call("PATCH", `${scan}/pause`);
    await call("PATCH", `${scan}/resume?${camera}`);
    for (const path of ["/tasks/", `/tasks/${id}`, "/projects/vase/tasks", `${scan}/status`])
      await call("GET", path);
    await call("PATCH", `${scan}/cancel`);
    await call("DELETE", `/tasks/${id}`);
    expect(shown.length).toBeGreaterThanOrEqual(11);
    return new Set(shown);
  };
  for (const mount of ["/v0.8", "/v0.9", "/latest"])
    expect(await revisionsOf(mount)).toEqual(new Set([false]));
  expect(await revisionsOf("/next")).toEqual(new Set([true]));
});

test("a stream that was open before the tasks were restored hears of each of them", async () => {
  const { api, folder, initialize } = await listeningServer();
  const early = await api.listen("tasks", "/next", "?v=1");
  const legacy = await api.listen("tasks");
  expect(await early.find(({ type }) => type === "tasks.snapshot")).toMatchObject({ tasks: [] });
  const directory = join(folder.directories.runtimeDir, "tasks");
  await mkdir(directory, { recursive: true });
  for (const [id, status] of [
    ["a", "running"],
    ["b", "cancelled"],
    ["c", "error"],
    ["d", "completed"],
  ] as const) {
    const record = {
      id,
      name: "scan_task",
      task_type: "scan_task",
      status,
      created_at: "2026-01-01T00:00:00.000Z",
    };
    await writeFile(join(directory, `${id}.json`), JSON.stringify({ ...record, error: "why" }));
  }
  await initialize();
  const listed = await api.call<LiveTask[]>("GET", "/next/tasks/");
  expect(listed.body.map(({ id, status }) => [id, status])).toEqual([
    ["a", "interrupted"],
    ["b", "cancelled"],
    ["c", "error"],
  ]);
  const heard = (await caughtUp(early, positionOf(listed).seq)).slice(1);
  expect(heard.map(({ task }) => task)).toEqual(listed.body);
  const old = await api.call<Task[]>("GET", "/latest/tasks/");
  await legacy.find(became("c", "error"));
  expect(legacy.messages.map(({ task }) => task)).toEqual(old.body);
});

test("the cleanup of an id that cannot be a file's name is as that of an unknown one", async () => {
  const { api } = await startServer();
  for (const id of ["unknown", "..%2F..%2Fetc%2Fpasswd", "a%20b", "x".repeat(300)])
    expect((await api.call("DELETE", `/latest/tasks/${id}/cleanup`)).status, id).toBe(204);
});
