import { appendFile, mkdtemp, rename, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, onTestFinished, test } from "vitest";
import { bytesBetween, GrowingFile, logFileNames, openLogFile, startOfTail } from "./log-files.js";

let directory = "";
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "openscan-logs-"));
});
afterEach(() => rm(directory, { recursive: true }));
const path = () => join(directory, "openscan_firmware.log");

async function text(parts: AsyncIterable<Buffer>): Promise<string> {
  let all = "";
  for await (const part of parts) all += part.toString();
  return all;
}
async function tail(content: string, lines: number): Promise<string> {
  await writeFile(path(), content);
  const file = await openLogFile(path());
  try {
    const size = Buffer.byteLength(content);
    return await text(bytesBetween(file, await startOfTail(file, size, lines), size));
  } finally {
    await file.close();
  }
}

test.each([
  ["a\nb\nc\n", 2, "b\nc\n"],
  ["a\nb\nc", 2, "b\nc"],
  ["a\nb\nc\n", 3, "a\nb\nc\n"],
  ["a\nb\nc\n", 9, "a\nb\nc\n"],
  ["a\nb\nc\n", 0, ""],
  ["a\nb\nc\n", -5, ""],
  ["\n\n\n", 2, "\n\n"],
  ["", 5, ""],
  ["x", 1, "x"],
  ["\n", 1, "\n"],
])("of %j the last %i lines are %j", async (content, lines, expected) => {
  expect(await tail(content, lines)).toBe(expected);
});

test("the tail is found across blocks, wherever lines begin", async () => {
  const lines = Array.from({ length: 3000 }, (_, i) => `${i} ${"x".repeat((i * 37) % 200)}\n`);
  const content = lines.join("");
  for (const count of [1, 7, 400, 655, 1999, 2999, 3000])
    expect(await tail(content, count)).toBe(lines.slice(-count).join(""));
  const long = `first\n${"y".repeat(200_000)}\n`;
  expect(await tail(long, 1)).toBe(long.slice(6));
});

test("the tail of a huge file reads only its end", async () => {
  const lines = "z".repeat(99);
  await writeFile(path(), "");
  await truncate(path(), 8 * 2 ** 30);
  await appendFile(path(), `\n${`${lines}\n`.repeat(10)}`);
  const file = await openLogFile(path());
  onTestFinished(() => file.close());
  const { size } = await file.stat();
  expect(size - (await startOfTail(file, size, 3))).toBe(300);
});

test("a follower sees what is added, through a rotation, and after somebody has emptied the file", async () => {
  await writeFile(path(), "old\n");
  const file = new GrowingFile(path(), await openLogFile(path()), 4);
  onTestFinished(() => file.close());
  const news = () => text(file.news());
  expect(await news()).toBe("");
  await appendFile(path(), "one\n");
  expect(await news()).toBe("one\n");
  await appendFile(path(), "two\n");
  await rename(path(), `${path()}.1`);
  expect(await news()).toBe("two\n");
  await writeFile(path(), "three\n");
  expect(await news()).toBe("three\n");
  await appendFile(path(), "four\n");
  await rename(path(), `${path()}.1`);
  await writeFile(path(), "five\n");
  expect(await news()).toBe("four\nfive\n");
  await truncate(path());
  await appendFile(path(), "s\n");
  expect(await news()).toBe("s\n");
  await rm(path());
  expect(await news()).toBe("");
});

test("the files are the logs and what was rotated away, nothing else", async () => {
  await expect(logFileNames(directory)).rejects.toMatchObject({ code: "not_found" });
  await expect(logFileNames(join(directory, "none"))).rejects.toMatchObject({ code: "not_found" });
  const logs = ["openscan_detailed_log.json", "openscan_firmware.log", "openscan_firmware.log.1"];
  for (const name of [...logs, "passwords.txt", "x_openscan_firmware.log"])
    await writeFile(join(directory, name), "");
  expect(await logFileNames(directory)).toEqual(logs);
});
