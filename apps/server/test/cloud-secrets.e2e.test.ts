import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Task } from "@openscan/protocol";
import { silentLogger, systemClock } from "@openscan/runtime";
import { expect, onTestFinished, test } from "vitest";
import { ProjectStore } from "../src/projects/project-store.js";
import { Api, became, type Reply } from "./support/api.js";
import { spawnServer } from "./support/child.js";
import { FakeCloud } from "./support/cloud.js";
import { addPhotos, rawZip } from "./support/cloud-bench.js";
import { createFolder, quickConfiguration } from "./support/folder.js";

/** Keeps the text of every reply. */
class AttentiveApi extends Api {
  readonly replies: string[] = [];

  override async call<T = unknown>(method: string, path: string, body?: unknown): Promise<Reply<T>> {
    const reply = await super.call<T>(method, path, body);
    this.replies.push(`${method} ${JSON.stringify([...reply.headers])} ${JSON.stringify(reply.body)}`);
    return reply;
  }
}

async function filesBelow(folder: string): Promise<string[]> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true });
  return found.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

test("defect 35: after a whole session no token and no password is in a task, a reply, a stream or a log", async () => {
  const folder = await createFolder(await quickConfiguration());
  onTestFinished(() => folder.remove());
  const { projectDir, runtimeDir, logDir, settingsDir } = folder.directories;
  const store = new ProjectStore({ directory: projectDir, clock: systemClock, log: silentLogger });
  await store.load();
  for (const project of ["vase", "cup"]) await addPhotos(store, project, { count: 3, bytes: 40_000 });
  await store.close();

  const cloud = await FakeCloud.start();
  const overrides = ["override-token-no-1", "override+token/no 2"];
  const ofEnvironment = "token-of-the-environment-3";
  process.env["OPENSCANCLOUD_TOKEN"] = ofEnvironment;
  onTestFinished(() => void delete process.env["OPENSCANCLOUD_TOKEN"]);
  const server = await spawnServer(folder, ["--log-level", "debug"]);
  const api = new AttentiveApi(server.api.url);
  const listeners = await Promise.all([
    api.listen("tasks", "/v0.9"),
    api.listen("device", "/v0.9"),
    api.listen("tasks", "/next", "?v=1"),
  ]);
  const [tasks] = listeners;
  const ended = async (path: string, body?: unknown) => {
    const { status, body: task } = await api.call<Task>("POST", path, body);
    expect([200, 202]).toContain(status);
    await tasks.find(became(task.id, "completed", "error"));
    await api.call("GET", `/next/tasks/${task.id}`);
    return task.id;
  };
  const settings = cloud.settings({ split_size: 50_000 });

  await api.call("GET", "/v0.9/cloud/settings");
  await api.call("POST", "/v0.9/cloud/settings", { ...settings, split_size: 0 });
  await api.call("POST", "/v0.9/cloud/settings", { ...settings, host: `http://x:${cloud.password}@y` });
  await api.call("POST", "/v0.9/cloud/settings", { ...settings, token: [cloud.token] });
  const brokenJson = { method: "POST", body: `{"user": "x", "token": "${cloud.token}",` };
  api.replies.push(await (await fetch(`${api.url}/v0.9/cloud/settings`, brokenJson)).text());
  await api.call("POST", "/v0.9/cloud/settings", settings);
  await api.call("GET", "/v0.9/cloud/status");
  for (const token of overrides)
    await ended(`/v0.9/projects/vase/upload?token_override=${encodeURIComponent(token)}`);
  await ended("/next/tasks/cloud_upload_task", { args: ["vase", overrides[0]] });
  await ended("/next/tasks/cloud_download_task", {
    args: ["vase"],
    kwargs: { token: overrides[1], remote_project: "x" },
  });
  await api.call("POST", "/next/tasks/cloud_upload_task", {
    args: ["vase", overrides[0]],
    kwargs: { token: overrides[1] },
  });
  let failures = 0;
  cloud.fail = ({ action }) =>
    action === "startProject" && failures++ === 0
      ? { status: 500, body: `token=${cloud.token} of ${cloud.user}:${cloud.password}` }
      : undefined;
  await ended("/v0.9/projects/vase/upload");
  cloud.fail = ({ url }) => ({ status: 400, body: `bad request: ${url} as ${cloud.password}` });
  await ended("/v0.9/projects/cup/upload");
  await api.call("GET", "/v0.9/cloud/projects");
  await api.call("GET", "/v0.9/cloud/projects/vase");
  await api.call("GET", "/v0.9/cloud/status");
  await api.call("DELETE", "/v0.9/cloud/projects/vase");
  cloud.fail = () => undefined;
  cloud.finish(cloud.projects.keys().next().value ?? "", rawZip([{ name: "vase.obj" }]));
  await ended(`/v0.9/cloud/projects/vase/download?token_override=${cloud.token}`);
  await api.call("GET", "/v0.9/cloud/projects");
  await api.call("GET", "/v0.9/tasks/");
  await api.call("GET", "/next/projects/vase/tasks");
  await api.call("GET", "/v0.9/logs/tail?lines=5000");
  api.replies.push(Buffer.from(await api.bytes("/v0.9/logs/tail?lines=5000&format=json")).toString());
  await server.stop("SIGKILL");

  const next = await spawnServer(folder, ["--log-level", "debug"]);
  const again = new AttentiveApi(next.api.url);
  await again.call("GET", "/next/tasks/");
  await again.call("POST", "/v0.9/cloud/settings", { ...settings, token: "***0815", password: "***4711" });
  expect((await again.call("GET", "/v0.9/cloud/status")).body).toMatchObject({
    token_info: { status: "ok" },
  });
  await again.call("DELETE", "/v0.9/cloud/settings");
  await next.stop("SIGINT");

  const places: Record<string, readonly string[]> = {
    replies: [...api.replies, ...again.replies],
    streams: listeners.flatMap(({ frames }) => frames),
    output: [server.output(), next.output()],
    files: await Promise.all(
      [
        ...(await filesBelow(runtimeDir)),
        ...(await filesBelow(logDir)),
        ...(await filesBelow(settingsDir)),
      ].map(async (file) => `${file}: ${await readFile(file, "latin1")}`),
    ),
  };
  const secrets = [...cloud.secrets, ...overrides, ofEnvironment];
  const forms = [
    ...secrets.flatMap((secret) => [
      secret,
      encodeURIComponent(secret),
      new URLSearchParams({ s: secret }).toString().slice(2),
    ]),
    Buffer.from(`${cloud.user}:${cloud.password}`).toString("base64"),
  ];
  for (const [place, texts] of Object.entries(places)) {
    expect(texts.length, place).toBeGreaterThan(0);
    for (const text of texts) {
      const leaked = forms.filter((form) => text.includes(form));
      expect(leaked, `${place}: ${text.slice(0, 1000)}`).toEqual([]);
    }
  }
  // The secrets were used all right, and what may be seen of them was seen.
  expect(cloud.requests.some(({ url }) => url.includes(cloud.token))).toBe(true);
  expect(places["replies"]?.join()).toContain("***0815");
  expect(places["files"]?.some((text) => text.includes("cloud_upload_task"))).toBe(true);
}, 120_000);
