import { mkdir, readdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { silentLogger, systemClock } from "@openscan/runtime";
import { expect, test } from "vitest";
import { temporaryFolder } from "../tasks/testing.js";
import { ProjectStore } from "./project-store.js";

async function openStore(directory: string) {
  const store = new ProjectStore({ directory, clock: systemClock, log: silentLogger });
  await store.load();
  return store;
}

async function createProject() {
  const directory = await temporaryFolder();
  const store = await openStore(directory);
  const { path } = await store.create("vase", null);
  const inside = async (folder = ".") => (await readdir(join(path, folder))).toSorted();
  return { directory, store, path, inside };
}

const fill = (name: string) => (folder: string) => writeFile(join(folder, name), name);

test("a model takes the place of the one before as a whole", async () => {
  const { store, inside } = await createProject();
  await store.replaceModel("vase", fill("first.obj"));
  expect(await inside("model")).toEqual(["first.obj"]);
  await store.replaceModel("vase", async (folder) => {
    expect(await inside("model")).toEqual(["first.obj"]);
    await fill("second.obj")(folder);
  });
  expect(await inside("model")).toEqual(["second.obj"]);
  expect(await inside()).toEqual(["model", "openscan_project.json"]);
});

test("a model that cannot be made leaves the one before, and no trace", async () => {
  const { store, inside } = await createProject();
  await store.replaceModel("vase", fill("first.obj"));
  const failing = store.replaceModel("vase", async (folder) => {
    await fill("half.obj")(folder);
    throw new Error("the disk is full");
  });
  await expect(failing).rejects.toMatchObject({ code: "storage" });
  expect(await inside("model")).toEqual(["first.obj"]);
  expect(await inside()).toEqual(["model", "openscan_project.json"]);
});

test.each([
  [
    "while the new model was made",
    async (path: string) => mkdir(join(path, ".tmp_0123456789ab_model")),
    "first.obj",
  ],
  ["when the new one was whole", async (path: string) => makeWhole(path), "second.obj"],
  [
    "when the old one was aside",
    async (path: string) => {
      await makeWhole(path);
      await rename(join(path, "model"), join(path, ".tmp_0123456789ab_model"));
    },
    "second.obj",
  ],
  [
    "when the old one was still to be removed",
    async (path: string) => {
      await rename(join(path, "model"), join(path, ".tmp_0123456789ab_model"));
      await mkdir(join(path, "model"));
      await fill("second.obj")(join(path, "model"));
    },
    "second.obj",
  ],
])("killed %s, the next start finds one whole model", async (_, state, expected) => {
  const { store, path, inside, directory } = await createProject();
  await store.replaceModel("vase", fill("first.obj"));
  await state(path);
  await openStore(directory);
  expect(await inside("model")).toEqual([expected]);
  expect(await inside()).toEqual(["model", "openscan_project.json"]);
});

async function makeWhole(path: string): Promise<void> {
  await mkdir(join(path, ".new_model"));
  await fill("second.obj")(join(path, ".new_model"));
}

test("what a project tells of the cloud is on the disk, and back after a restart", async () => {
  const { store, directory } = await createProject();
  const told = { uploaded: true, downloaded: true, cloud_project_name: "vase-1.zip" };
  expect(await store.update("vase", told)).toMatchObject(told);
  expect((await openStore(directory)).get("vase")).toMatchObject(told);
  await expect(store.update("cup", told)).rejects.toMatchObject({ code: "not_found" });
});

test("a disk that refuses leaves what the project tells as it was", async () => {
  const { store, path } = await createProject();
  await rename(path, `${path}-elsewhere`);
  await expect(store.update("vase", { uploaded: true })).rejects.toMatchObject({ code: "storage" });
  expect(store.get("vase").uploaded).toBe(false);
  await rename(`${path}-elsewhere`, path);
});
