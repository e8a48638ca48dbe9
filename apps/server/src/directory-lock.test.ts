import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { systemClock as clock } from "@openscan/runtime";
import { recordingLogger } from "@openscan/runtime/testing";
import { expect, onTestFinished, test } from "vitest";
import { DirectoryLock } from "./directory-lock.js";
import { temporaryFolder } from "./tasks/testing.js";

async function setUp() {
  const directory = await temporaryFolder();
  const log = recordingLogger();
  const file = join(directory, ".openscan_server.lock");
  const take = (pid?: number) =>
    DirectoryLock.take({ directory, clock, log, ...(pid === undefined ? {} : { pid }) });
  const owner = async () => JSON.parse(await readFile(file, "utf8")) as Record<string, unknown>;
  return { directory, log, file, take, owner };
}

/** A process that does nothing but live. */
function idleProcess(): { readonly pid: number; end(): Promise<void> } {
  const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { stdio: "ignore" });
  const end = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  };
  onTestFinished(end);
  return { pid: child.pid ?? 0, end };
}

test("a directory that a living server has is refused with its process, and free once that has ended", async () => {
  const { directory, take, owner, log } = await setUp();
  const other = idleProcess();
  await take(other.pid);
  await expect(take()).rejects.toMatchObject({
    code: "conflict",
    message: `${directory} is in use by another OpenScan server, process ${other.pid}: stop it, or choose other directories`,
  });
  expect(await owner()).toMatchObject({ pid: other.pid });
  await other.end();
  const lock = await take();
  expect(await owner()).toMatchObject({ pid: process.pid });
  expect(log.lines).toMatchObject([{ level: "info", fields: { pid: other.pid } }]);
  await lock.release();
  expect(await readdir(directory)).toEqual([]);
});

test.each([
  ["a process id that was given again", { process_started: "1" }],
  ["a process before the last boot", { boot_id: "00000000-0000-0000-0000-000000000000" }],
])("%s is no owner", async (_, change) => {
  const { take, owner, file } = await setUp();
  const other = idleProcess();
  await take(other.pid);
  await writeFile(file, JSON.stringify({ ...(await owner()), ...change }));
  await take();
  expect(await owner()).toMatchObject({ pid: process.pid });
});

test.each(["", "{", '{"pid":"one"}'])("what a power failure left, %j, locks nobody out", async (text) => {
  const { take, owner, file } = await setUp();
  await writeFile(file, text);
  await take();
  expect(await owner()).toMatchObject({ pid: process.pid });
});

test("of many that find a stale lock at once exactly one gets the directory", async () => {
  const { take, directory, owner } = await setUp();
  const dead = idleProcess();
  await take(dead.pid);
  await dead.end();
  const rivals = Array.from({ length: 8 }, idleProcess);
  const results = await Promise.allSettled(rivals.map(({ pid }) => take(pid)));
  const winners = rivals.filter((_, index) => results[index]?.status === "fulfilled");
  expect(winners).toHaveLength(1);
  expect(await owner()).toMatchObject({ pid: winners[0]?.pid });
  expect(await readdir(directory)).toEqual([".openscan_server.lock"]);
});

test("a server that died while it replaced a stale lock locks nobody out", async () => {
  const { take, directory, owner, file } = await setUp();
  const dead = idleProcess();
  await take(dead.pid);
  await dead.end();
  const stale = await readFile(file, "utf8");
  const claim = `${file}.${createHash("sha256").update(stale).digest("hex").slice(0, 16)}`;
  await writeFile(claim, stale);
  await take();
  expect(await owner()).toMatchObject({ pid: process.pid });
  expect(await readdir(directory)).toEqual([".openscan_server.lock"]);
});

test("a lock that another one has taken over is not released by its former owner", async () => {
  const { take, owner, file } = await setUp();
  const lock = await take();
  await writeFile(file, JSON.stringify({ ...(await owner()), pid: 1 }));
  await lock.release();
  expect(await owner()).toMatchObject({ pid: 1 });
});

test("where nothing can be written nothing is locked, and the log says so", async () => {
  const { directory, log } = await setUp();
  const missing = join(directory, "missing");
  const lock = await DirectoryLock.take({ directory: missing, clock, log });
  expect(log.lines).toMatchObject([{ level: "warn", message: "the directory could not be locked" }]);
  await lock.release();
});
