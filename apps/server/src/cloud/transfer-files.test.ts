import { mkdir, readdir, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ScanError } from "@openscan/protocol";
import { systemClock } from "@openscan/runtime";
import { recordingLogger } from "@openscan/runtime/testing";
import { TaskInterrupted } from "@openscan/tasks";
import { expect, test } from "vitest";
import { z } from "zod";
import { temporaryFolder } from "../tasks/testing.js";
import { CloudError } from "./cloud-error.js";
import { type Transfer, TransferFiles } from "./transfer-files.js";

async function createFiles() {
  const directory = join(await temporaryFolder(), "tmp", "cloud");
  const files = new TransferFiles({ directory, clock: systemClock, log: recordingLogger() });
  const abort = new AbortController();
  /** A transfer that writes both its files and then does this. */
  const run = (project: string, then: (transfer: Transfer) => unknown = () => {}) =>
    files.run("upload", project, abort.signal, async (transfer) => {
      await writeFile(transfer.archiveFile, "archive");
      await transfer.save({ project });
      await then(transfer);
    });
  const left = async () => (await readdir(directory)).length;
  return { directory, files, run, abort, left };
}

const fail = (error: Error) => () => {
  throw error;
};

test.each([
  ["a connection that broke", new CloudError("x", { isTransient: true }), 2],
  ["an answer that will not change", new CloudError("x", { isTransient: false }), 0],
  ["a full disk", new ScanError("storage", "x"), 0],
])("after %s so many files are kept for the next attempt", async (_, error, kept) => {
  const { run, left } = await createFiles();
  await expect(run("vase", fail(error))).rejects.toBe(error);
  expect(await left()).toBe(kept);
});

test.each([
  ["an interruption", new TaskInterrupted(), 2],
  ["a cancel", new ScanError("cancelled", "x"), 0],
])("after %s so many files are kept, whatever the transfer threw", async (_, reason, kept) => {
  const { run, abort, left } = await createFiles();
  const broken = new CloudError("the connection broke", { isTransient: true });
  const stopped = run("vase", () => {
    abort.abort(reason);
    throw broken;
  });
  await expect(stopped).rejects.toBe(broken);
  expect(await left()).toBe(kept);
});

test("a project has one upload at a time; it may be tried again once that has ended", async () => {
  const { run } = await createFiles();
  await run("vase", async () => {
    await expect(run("vase")).rejects.toMatchObject({ code: "conflict" });
    await run("cup");
  });
  await run("vase");
});

test("nobody else may read what a transfer has to remember", async () => {
  const { run } = await createFiles();
  await run("vase", async (transfer) => {
    expect((await stat(transfer.recordFile)).mode & 0o777).toBe(0o600);
    expect(await transfer.load(z.object({ project: z.string() }))).toEqual({ project: "vase" });
    expect(await transfer.load(z.object({ other: z.string() }))).toBeUndefined();
    await writeFile(transfer.recordFile, "{ half");
    expect(await transfer.load(z.object({ project: z.string() }))).toBeUndefined();
  });
});

test("what nobody will go on with is swept away, what is at work or waits for its successor is not", async () => {
  const { run, files, directory, left } = await createFiles();
  for (const project of ["vase", "gone", "old"]) await run(project);
  const old = new Date(Date.now() - 8 * 24 * 3600 * 1000);
  await run("old", ({ recordFile }) => utimes(recordFile, old, old));
  await writeFile(join(directory, "tmpab12.zip"), "of the older backend");
  await writeFile(join(directory, ".tmp_0123456789ab_upload.json"), "half");
  await mkdir(join(directory, "folder"));
  await run("cup", async (transfer) => {
    await files.sweep({ vase: {}, old: {} });
    expect(await readdir(directory)).toEqual(
      expect.arrayContaining([`${transfer.name}.zip`, `${transfer.name}.json`]),
    );
    expect(await left()).toBe(4);
  });
  await files.sweep({});
  expect(await left()).toBe(0);
});

test("a directory that is not there needs no sweeping, one that cannot be made is a storage error", async () => {
  const { files, directory, run } = await createFiles();
  await files.sweep({});
  await files.forgetUpload("vase");
  await mkdir(join(directory, "..", ".."), { recursive: true });
  await writeFile(join(directory, ".."), "a file where the folder belongs");
  await expect(run("vase")).rejects.toMatchObject({ code: "storage" });
});
