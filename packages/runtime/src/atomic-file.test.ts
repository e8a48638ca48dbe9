import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { removeUnfinishedWrites, writeFileAtomic } from "./atomic-file.js";
import { silentLogger } from "./logger.js";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "openscan-atomic-"));
});
afterEach(() => rm(folder, { recursive: true }));

test("a file is replaced as a whole and nothing else is left", async () => {
  const path = join(folder, "task.json");
  await writeFileAtomic(path, "old");
  await writeFileAtomic(path, new TextEncoder().encode("new"));
  expect(await readFile(path, "utf8")).toBe("new");
  expect(await readdir(folder)).toEqual(["task.json"]);
});

test("a secret file can be read by its owner only, also when everybody could read the one before", async () => {
  const path = join(folder, "cloud.json");
  await writeFile(path, "old", { mode: 0o644 });
  await writeFileAtomic(path, "new", 0o600);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
});

test("parallel writers leave one whole content", async () => {
  const path = join(folder, "scan.json");
  const contents = Array.from({ length: 20 }, (_, i) => String(i).repeat(10_000));
  await Promise.all(contents.map((content) => writeFileAtomic(path, content)));
  expect(contents).toContain(await readFile(path, "utf8"));
  expect(await readdir(folder)).toEqual(["scan.json"]);
});

test("a failed write reports its cause and leaves no temporary file", async () => {
  await mkdir(join(folder, "taken"));
  await expect(writeFileAtomic(join(folder, "taken"), "x")).rejects.toThrow(/EISDIR|ENOTEMPTY|EEXIST/);
  await expect(writeFileAtomic(join(folder, "missing", "x"), "x")).rejects.toThrow("ENOENT");
  expect(await readdir(folder)).toEqual(["taken"]);
});

test("what fails while a failed write is cleaned up does not hide its cause", async () => {
  await writeFile(join(folder, "file"), "");
  const write = writeFileAtomic(join(folder, "file", "x"), "x");
  await expect(write).rejects.toMatchObject({ code: "ENOTDIR", syscall: "open" });
});

test("unfinished writes of a killed process are removed, other files are not", async () => {
  await writeFile(join(folder, ".tmp_0123456789ab_scan.json"), "{ half");
  await mkdir(join(folder, ".tmp_0123456789ab_scan01", "metadata"), { recursive: true });
  await writeFile(join(folder, "scan.json"), "{}");
  await removeUnfinishedWrites(folder, silentLogger);
  expect(await readdir(folder)).toEqual(["scan.json"]);
});
