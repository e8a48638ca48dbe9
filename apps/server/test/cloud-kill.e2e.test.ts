import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Project, Task } from "@openscan/protocol";
import { silentLogger, systemClock } from "@openscan/runtime";
import { expect, onTestFinished, test } from "vitest";
import { addPhotos, digest, rawZip, unzipped } from "./support/cloud-bench.js";
import { ProjectStore } from "../src/projects/project-store.js";
import { became } from "./support/api.js";
import { spawnServer } from "./support/child.js";
import { FakeCloud } from "./support/cloud.js";
import { createFolder, quickConfiguration } from "./support/folder.js";

async function folderWithPhotos() {
  const folder = await createFolder(await quickConfiguration());
  onTestFinished(() => folder.remove());
  const { projectDir } = folder.directories;
  const store = new ProjectStore({ directory: projectDir, clock: systemClock, log: silentLogger });
  await store.load();
  const photos = await addPhotos(store, "vase", { count: 20, bytes: 100_000 });
  await store.close();
  return { folder, photos };
}

async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise((resolve) => setTimeout(resolve, 5));
}

test("killed again and again in mid-upload, the server sends every part once and loses none", async () => {
  const { folder, photos } = await folderWithPhotos();
  const cloud = await FakeCloud.start();
  cloud.bytesPerMs = 500;
  let id = "";
  for (let round = 0; round < 5; round++) {
    const server = await spawnServer(folder);
    if (round === 0) {
      await server.api.call("POST", "/latest/cloud/settings", cloud.settings({ split_size: 150_000 }));
      ({ id } = (await server.api.call<Task>("POST", "/latest/projects/vase/upload")).body);
    } else {
      expect((await server.api.call("GET", `/latest/tasks/${id}`)).body).toMatchObject({
        status: "interrupted",
      });
      await server.api.call("POST", `/latest/tasks/${id}/resume`);
    }
    // Between one and three parts further, in the middle of the next.
    const parts = cloud.of("part").length + 2 + (round % 3);
    await until(() => cloud.of("part").length >= parts && (cloud.of("part").at(-1)?.bytes ?? 0) > 0);
    await server.stop("SIGKILL");
  }
  const { api } = await spawnServer(folder);
  const tasks = await api.listen("tasks");
  await api.call("POST", `/latest/tasks/${id}/resume`);
  await tasks.find(became(id, "completed"));
  const { name, parts } = cloud.project;
  expect(await unzipped(cloud.archive(name))).toEqual(photos);
  const finished = cloud.finishedParts();
  // A part whose answer was on its way in the moment of the kill is all that may come twice.
  expect(finished.length).toBeLessThanOrEqual(parts.length + 1);
  expect(new Set(finished).size).toBe(parts.length);
  expect(cloud.of("createProject")).toHaveLength(1);
  expect((await api.call<Project>("GET", "/latest/projects/vase")).body).toMatchObject({
    uploaded: true,
    cloud_project_name: name,
  });
  expect(
    (await readdir(join(folder.directories.runtimeDir, "tmp", "cloud"))).filter((file) =>
      file.endsWith(".zip"),
    ),
  ).toEqual([]);
}, 120_000);

test("killed in mid-download, the server fetches the rest only; the old model stays until the new one is whole", async () => {
  const { folder } = await folderWithPhotos();
  const cloud = await FakeCloud.start();
  const content = Buffer.alloc(3_000_000, "model");
  const model = rawZip([{ name: "vase.obj", bytes: content }]);
  cloud.finish("vase.zip", model);
  const path = join(folder.directories.projectDir, "vase", "model");
  const first = await spawnServer(folder);
  await first.api.call("POST", "/latest/cloud/settings", cloud.settings());
  const order = "/latest/cloud/projects/vase/download?remote_project=vase.zip";
  const tasks = await first.api.listen("tasks");
  const { body: old } = await first.api.call<Task>("POST", order);
  await tasks.find(became(old.id, "completed"));
  const before = await readFile(join(path, "vase.obj"));
  cloud.bytesPerMs = 1000;
  const { body: task } = await first.api.call<Task>("POST", order);
  await until(() => (cloud.of("model")[1]?.bytes ?? 0) > 1_000_000);
  await first.stop("SIGKILL");
  expect(await readFile(join(path, "vase.obj"))).toHaveLength(before.length);
  const next = await spawnServer(folder);
  const listener = await next.api.listen("tasks");
  await next.api.call("POST", `/latest/tasks/${task.id}/resume`);
  await listener.find(became(task.id, "completed"));
  expect(digest(await readFile(join(path, "vase.obj")))).toBe(digest(content));
  const rest = cloud.of("model").at(-1);
  expect(Number(/bytes=(\d+)-/.exec(rest?.headers.range ?? "")?.[1])).toBeGreaterThan(300_000);
  expect(rest?.bytes).toBeLessThan(model.length - 300_000);
  expect(await readdir(join(folder.directories.projectDir, "vase"))).not.toContainEqual(
    expect.stringMatching(/^\./),
  );
}, 60_000);
