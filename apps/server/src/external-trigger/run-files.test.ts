import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryFolder } from "../tasks/testing.js";
import { RunFiles } from "./run-files.js";

const id = "0b9c8f57-6f0f-4f5e-8a53-0d1a3a3c5b0e";
const path = {
  task_id: id,
  generated_at: "2026-01-01T00:00:00.000Z",
  total_steps: 1,
  points: [
    {
      execution_step: 0,
      original_step: 0,
      polar_coordinates: { theta: 90, fi: 0, r: 110 },
      cartesian_coordinates: { x: 110, y: 0, z: 0 },
    },
  ],
};

test("a path and how far its run has come are kept in a folder named after the task", async () => {
  const folder = join(await temporaryFolder(), "runs");
  const files = new RunFiles(folder);
  expect(await files.findPath(id)).toBeUndefined();
  await expect(files.path(id)).rejects.toMatchObject({ code: "not_found" });
  expect(await files.finished(id)).toBe(0);
  await files.savePath(path);
  await files.saveFinished(id, 7);
  expect(await files.path(id)).toEqual(path);
  expect(await files.finished(id)).toBe(7);
  expect(JSON.parse(await readFile(join(folder, id, "path.json"), "utf8"))).toEqual(path);
  expect((await readdir(join(folder, id))).sort()).toEqual(["path.json", "progress.json"]);
});

test("files of earlier versions are read: run_id for task_id, and manifest.json", async () => {
  const folder = await temporaryFolder();
  await mkdir(join(folder, id));
  const { task_id: run_id, ...rest } = path;
  await writeFile(join(folder, id, "manifest.json"), JSON.stringify({ run_id, ...rest }));
  expect(await new RunFiles(folder).path(id)).toEqual(path);
});

test("a damaged path is told of, damaged progress counts as none", async () => {
  const folder = await temporaryFolder();
  await mkdir(join(folder, id));
  await writeFile(join(folder, id, "path.json"), "{");
  await writeFile(join(folder, id, "progress.json"), "{");
  const files = new RunFiles(folder);
  await expect(files.path(id)).rejects.toMatchObject({ code: "invalid" });
  expect(await files.finished(id)).toBe(0);
});

test.each(["..", ".", "", "../runs", `../${id}`, `${id}/..`, "/etc", "x".repeat(300), `${id}\0`])(
  "defect 38: %j is no id of a run",
  async (wrong) => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, "path.json"), JSON.stringify(path));
    await mkdir(join(folder, "runs"));
    const files = new RunFiles(join(folder, "runs"));
    await expect(files.path(wrong)).rejects.toMatchObject({ code: "not_found" });
    await expect(files.saveFinished(wrong, 1)).rejects.toMatchObject({ code: "not_found" });
  },
);

test("a disk that refuses is told of", async () => {
  const folder = await temporaryFolder();
  await writeFile(join(folder, "runs"), "a file");
  await expect(new RunFiles(join(folder, "runs")).savePath(path)).rejects.toMatchObject({ code: "storage" });
});
