import { appendFile, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { FakeClock } from "@openscan/runtime/testing";
import { expect, onTestFinished, test } from "vitest";
import type { Config } from "../src/config.js";
import { openLog } from "../src/logging.js";
import { readZip } from "../src/zip/testing.js";
import { startServer } from "./support/in-process.js";

const secret = "0123456789abcdef-secret";

/** A server that writes its log where it reads it. */
async function loggingServer(clock?: FakeClock) {
  const logDir = await mkdtemp(join(tmpdir(), "openscan-log-routes-"));
  onTestFinished(() => rm(logDir, { recursive: true, force: true }));
  const { log, flush, close } = openLog(
    { logDir, logLevel: "info", token: secret } as Config,
    new PassThrough(),
  );
  onTestFinished(close);
  const { api } = await startServer(undefined, {
    log,
    flushLog: flush,
    config: { logDir },
    ...(clock && { clock }),
  });
  return { api, log, flush, text: join(logDir, "openscan_firmware.log"), logDir };
}

test("the tail of the log has what was logged a moment ago, as text and as JSON", async () => {
  const { api, log } = await loggingServer();
  for (let i = 0; i < 10; i++) log.warn({ i, used: secret }, "look");
  const text = await api.call<string>("GET", "/v0.9/logs/tail?format=text&lines=3");
  expect(text.headers.get("Content-Type")).toMatch(/^text\/plain/);
  expect(text.body).toMatch(/^(\S+Z - WARN - \[\S+:\S+\] - look i=[789] used=\[redacted\]\n){3}$/);
  const reply = await fetch(`${api.url}/v0.8/logs/tail?format=JSON&lines=2&follow=true`);
  expect(reply.headers.get("Content-Type")).toMatch(/^application\/json/);
  const lines = (await reply.text()).split("\n");
  expect(lines).toHaveLength(3);
  expect(lines.slice(0, 2).map((line) => JSON.parse(line) as unknown)).toMatchObject([
    { levelname: "WARN", message: "look", i: 8, used: "[redacted]", asctime: expect.any(String) as string },
    { i: 9, name: "openscan", module: expect.any(String) as string, funcName: expect.any(String) as string },
  ]);
  expect(lines[2]).toBe("");
});

test.each([
  ["lines=0", ""],
  ["lines=-3", ""],
  ["format=xml&lines=1&poll_interval=-1", "c\n"],
  ["lines=9007199254740991", "a\nb\nc\n"],
])("a tail with %s is %j", async (query, expected) => {
  const { api, text, flush } = await loggingServer();
  await flush();
  await writeFile(text, "a\nb\nc");
  expect(await api.call("GET", `/next/logs/tail?${query}`)).toMatchObject({ status: 200, body: expected });
});

test("values that are none answer 422", async () => {
  const { api } = await loggingServer();
  for (const query of ["lines=x", "lines=1.5", "follow=perhaps", "poll_interval=nan", "poll_interval=x"])
    expect((await api.call("GET", `/v0.9/logs/tail?${query}`)).status, query).toBe(422);
});

test("without a log file both routes answer 404", async () => {
  const { api } = await startServer();
  for (const path of ["tail", "tail?format=json", "tail?follow=true", "archive"])
    expect(await api.call("GET", `/v0.9/logs/${path}`)).toMatchObject({
      status: 404,
      body: { detail: "there is no log file yet" },
    });
});

test("a follower gets the tail, then each line that is added, through a rotation, until it leaves", async () => {
  const clock = new FakeClock();
  const { api, text } = await loggingServer(clock);
  await writeFile(text, "one\ntwo\n");
  const viewer = new AbortController();
  const reply = await fetch(`${api.url}/v0.9/logs/tail?follow=1&lines=1&poll_interval=2`, {
    signal: viewer.signal,
  });
  expect(reply.headers.get("X-Accel-Buffering")).toBe("no");
  expect(reply.headers.get("Cache-Control")).toBe("no-cache");
  const reader = reply.body?.pipeThrough(new TextDecoderStream()).getReader();
  expect((await reader?.read())?.value).toBe("two\n");
  const running = clock.pending;
  await appendFile(text, "three\n");
  const third = reader?.read();
  await clock.advance(2000);
  expect((await third)?.value).toBe("three\n");
  await rename(text, `${text}.1`);
  await writeFile(text, "four\n");
  const fourth = reader?.read();
  await expect.poll(() => clock.pending).toBe(running);
  await clock.advance(2000);
  expect((await fourth)?.value).toBe("four\n");
  await expect.poll(() => clock.pending).toBe(running);
  viewer.abort();
  await expect.poll(() => clock.pending).toBe(running - 1);
});

test("HEAD of a log that is followed has an end", async () => {
  const { api } = await loggingServer();
  expect((await fetch(`${api.url}/v0.9/logs/tail?follow=true`, { method: "HEAD" })).status).toBe(200);
});

test("the archive has every log, those included that were rotated away, well compressed", async () => {
  const { api, log, logDir } = await loggingServer();
  await writeFile(join(logDir, "openscan_firmware.log.1"), "the same line again\n".repeat(100_000));
  await writeFile(join(logDir, "openscan_firmware.log.2"), "");
  await writeFile(join(logDir, "notes.txt"), "not a log");
  log.warn({}, "the last line");
  const reply = await fetch(`${api.url}/v0.9/logs/archive`);
  expect(reply.headers.get("Content-Type")).toBe("application/zip");
  expect(reply.headers.get("Content-Disposition")).toMatch(
    /^attachment; filename=openscan_logs_\d{8}_\d{6}\.zip$/,
  );
  const archive = Buffer.from(await reply.arrayBuffer());
  expect(archive.length).toBeLessThan(50_000);
  const entries = readZip(archive);
  expect(entries.map(({ name }) => name)).toEqual(
    (await readdir(logDir)).filter((name) => name !== "notes.txt").sort(),
  );
  for (const { name, bytes } of entries)
    if (name.endsWith(".1")) expect(bytes.equals(await readFile(join(logDir, name)))).toBe(true);
  expect(entries.find(({ name }) => name === "openscan_firmware.log")?.bytes.toString()).toContain(
    "the last line",
  );
});
