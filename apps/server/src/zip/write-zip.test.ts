import { execFile } from "node:child_process";
import {
  appendFile,
  mkdir,
  open,
  readdir,
  readFile,
  readlink,
  rm,
  symlink,
  truncate,
  utimes,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { crc32 } from "node:zlib";
import { expect, test } from "vitest";
import { temporaryFolder } from "../tasks/testing.js";
import type { Write } from "./blocks.js";
import { centralHeader, descriptor, endRecords, localHeader } from "./format.js";
import { readTexts, readZip } from "./testing.js";
import { writeZip, type ZipEntry } from "./write-zip.js";

const run = promisify(execFile);
const modified = new Date("2026-03-04T05:06:08Z");
const MiB = 2 ** 20;

async function zipped(entries: Iterable<ZipEntry> | AsyncIterable<ZipEntry>): Promise<Buffer> {
  const parts: Buffer[] = [];
  await writeZip(entries, async (bytes) => void parts.push(Buffer.from(bytes)));
  return Buffer.concat(parts);
}

const textEntry = (name: string, bytes = name): ZipEntry => ({ name, content: { bytes, modified } });

/** Of every length at which something could go wrong. */
async function filesOfManySizes() {
  const folder = await temporaryFolder();
  const sizes = [0, 1, 1000, MiB - 1, MiB, MiB + 1, 5 * MiB + 7];
  const files = sizes.map((size, index) => ({
    path: join(folder, `${index}`),
    name: `photos/${size}.bin`,
    bytes: Buffer.alloc(size, `${index}content`),
  }));
  for (const { path, bytes } of files) {
    await writeFile(path, bytes);
    await utimes(path, modified, modified);
  }
  return { folder, files, entries: files.map(({ name, path }) => ({ name, content: { path } })) };
}

test("files of all sizes come out as they went in, with their names and times", async () => {
  const { files, entries } = await filesOfManySizes();
  const names = ["花瓶/写真 é.json", "last.txt"];
  const read = readZip(await zipped([...entries, ...names.map((name) => textEntry(name))]));
  expect(read.map(({ name }) => name)).toEqual([...files.map(({ name }) => name), ...names]);
  for (const [index, { bytes }] of files.entries()) expect(read[index]?.bytes.equals(bytes)).toBe(true);
  expect(read.at(-2)?.bytes.toString()).toBe(names[0]);
  for (const entry of read) {
    expect(entry.modified).toEqual(modified);
    expect(entry.mode).toBe(0o100644);
  }
});

test("files that are packed are smaller in the archive, and come out as they went in", async () => {
  const { files, entries } = await filesOfManySizes();
  const packed = entries.map(({ name, content }) => ({
    name,
    content: { ...content, level: 9 },
  }));
  const archive = await zipped([...packed, textEntry("last.txt")]);
  expect(archive.length).toBeLessThan(MiB);
  const read = readZip(archive);
  for (const [index, { bytes }] of files.entries()) expect(read[index]?.bytes.equals(bytes)).toBe(true);
  expect(read.at(-1)?.bytes.toString()).toBe("last.txt");
});

test("an archive without files is one", async () => {
  expect(readZip(await zipped([]))).toEqual([]);
});

/** Files in a folder that this process has open. */
async function openFiles(folder: string): Promise<string[]> {
  const links = await readdir("/proc/self/fd");
  const paths = await Promise.all(links.map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => "")));
  return paths.filter((path) => path.startsWith(folder));
}

async function isInstalled(program: string, ...args: string[]): Promise<boolean> {
  return run(program, args).then(
    () => true,
    () => false,
  );
}
const hasUnzip = await isInstalled("unzip", "-v");
const hasPython = await isInstalled("python3", "-c", "import zipfile");

/** What Python's zipfile says: names, sizes and times of all files, and whether every checksum is right. */
async function pythonReads(archive: string) {
  const script = `
import json, sys, zipfile
archive = zipfile.ZipFile(sys.argv[1])
print(json.dumps({"bad": archive.testzip(), "files": [[i.filename, i.file_size, i.date_time] for i in archive.infolist()]}))`;
  const { stdout } = await run("python3", ["-c", script, archive], { maxBuffer: 64 * MiB });
  return JSON.parse(stdout) as { bad: string | null; files: [string, number, number[]][] };
}

test.skipIf(!hasUnzip)("unzip finds no fault", async () => {
  const { folder, entries } = await filesOfManySizes();
  const archive = join(folder, "archive.zip");
  await writeFile(archive, await zipped([...entries, textEntry("花瓶/写真.json")]));
  const { stdout } = await run("unzip", ["-t", archive]);
  expect(stdout).toContain("No errors detected");
  await run("unzip", ["-q", archive, "-d", folder], { env: { ...process.env, LC_ALL: "C.UTF-8" } });
  expect(await readFile(join(folder, "花瓶/写真.json"), "utf8")).toBe("花瓶/写真.json");
});

test.skipIf(!hasPython)("Python's zipfile reads the same", async () => {
  const { folder, files, entries } = await filesOfManySizes();
  const archive = join(folder, "archive.zip");
  const packed = entries.map(({ name, content }, index) => ({
    name,
    content: { ...content, ...(index % 2 && { level: 9 }) },
  }));
  await writeFile(archive, await zipped([...packed, textEntry("花瓶/写真.json")]));
  const { bad, files: read } = await pythonReads(archive);
  expect(bad).toBeNull();
  const local = [modified.getFullYear(), modified.getMonth() + 1, modified.getDate()];
  const time = [modified.getHours(), modified.getMinutes(), modified.getSeconds()];
  expect(read).toEqual([
    ...files.map(({ name, bytes }) => [name, bytes.length, [...local, ...time]]),
    ["花瓶/写真.json", Buffer.byteLength("花瓶/写真.json"), [...local, ...time]],
  ]);
});

test("70,000 files make a zip64 archive", async () => {
  const names = Array.from({ length: 70_000 }, (_, index) => `${index}`);
  const archive = await zipped(names.map((name) => textEntry(name)));
  expect(readZip(archive).map(({ name }) => name)).toEqual(names);
  if (!hasPython) return;
  const file = join(await temporaryFolder(), "many.zip");
  await writeFile(file, archive);
  const { bad, files } = await pythonReads(file);
  expect(bad).toBeNull();
  expect(files).toHaveLength(70_000);
});

test.skipIf(!hasPython || !hasUnzip)(
  "a file of more than 4 GiB, and one that begins after it, are there",
  async () => {
    const archive = join(await temporaryFolder(), "large.zip");
    const size = 2 ** 32 + 12_345;
    const start = localHeader("large", modified, true).length;
    const small = start + size + descriptor(0, size, true).length;
    const text = Buffer.from("after");
    const after = { name: "after", modified, crc: crc32(text), size: text.length, offset: small };
    const tail = Buffer.concat([
      localHeader(after.name, modified, false),
      text,
      descriptor(after.crc, after.size, false),
    ]);
    const directory = Buffer.concat([
      centralHeader({ name: "large", modified, crc: 0, size, offset: 0 }),
      centralHeader(after),
    ]);
    const end = endRecords(2, small + tail.length, directory.length);
    const file = await open(archive, "w");
    await file.write(localHeader("large", modified, true), 0, start, 0);
    // The file itself is a hole, so that the disk has nothing to do.
    const rest = Buffer.concat([descriptor(0, size, true), tail, directory, end]);
    await file.write(rest, 0, rest.length, start + size);
    await file.close();
    const script = `
import sys, zipfile
archive = zipfile.ZipFile(sys.argv[1])
print([(i.filename, i.file_size) for i in archive.infolist()], archive.open("large").read(3), archive.read("after"))`;
    const { stdout } = await run("python3", ["-c", script, archive]);
    expect(stdout.trim()).toBe(`[('large', ${size}), ('after', 5)] b'\\x00\\x00\\x00' b'after'`);
    expect((await run("unzip", ["-p", archive, "after"])).stdout).toBe("after");
    const { stdout: listed } = await run("unzip", ["-l", archive]);
    expect(listed).toContain(`${size} `);
  },
);

test("files that are gone, links and folders in their place are left out", async () => {
  const folder = await temporaryFolder();
  await writeFile(join(folder, "secret"), "secret");
  await writeFile(join(folder, "there"), "there");
  await symlink(join(folder, "secret"), join(folder, "link"));
  await mkdir(join(folder, "folder"));
  const entries = ["gone", "link", "folder", "there", "there/below"].map((name) => ({
    name,
    content: { path: join(folder, name) },
  }));
  expect(readTexts(await zipped(entries))).toEqual({ there: "there" });
});

test("defect 34: files that change while they are sent leave the archive whole", async () => {
  const { files, entries, folder } = await filesOfManySizes();
  const [large] = files.slice(-1);
  if (!large) throw new Error("no files");
  const changes: (() => Promise<void>)[] = [
    () => appendFile(large.path, "more"),
    () => truncate(large.path, 3 * MiB),
    () => rm(large.path),
  ];
  for (const [index, change] of changes.entries()) {
    await writeFile(large.path, large.bytes);
    const parts: Buffer[] = [];
    // The large file begins in the third block or later, and has not been read to its end when the fourth is written.
    const write: Write = async (bytes) => {
      parts.push(Buffer.from(bytes));
      if (parts.length === 4) await change();
    };
    await writeZip([...entries, { name: "end", content: { path: join(folder, "0") } }], write);
    const read = readZip(Buffer.concat(parts));
    const copy = read.find(({ name }) => name === large.name)?.bytes ?? Buffer.alloc(0);
    expect(large.bytes.subarray(0, copy.length).equals(copy), `change ${index}`).toBe(true);
    expect(index === 1 ? copy.length < large.bytes.length : copy.length === large.bytes.length).toBe(true);
    expect(read.at(-1)?.name).toBe("end");
  }
});

test("a failed write ends it, and no file stays open", async () => {
  const { entries, folder } = await filesOfManySizes();
  let writes = 0;
  const write: Write = async () => {
    if (++writes === 2) throw new Error("the client is gone");
  };
  await expect(writeZip(entries, write)).rejects.toThrow("the client is gone");
  if (process.platform === "linux") expect(await openFiles(folder)).toEqual([]);
});

test("no more than a few blocks wait for a client that does not read", async () => {
  const { entries } = await filesOfManySizes();
  const waiting: (() => void)[] = [];
  let most = 0;
  const write: Write = () =>
    new Promise((resolve) => {
      waiting.push(resolve);
      most = Math.max(most, waiting.length);
    });
  let done = false;
  const archive = writeZip([...entries, ...entries], write).then(() => {
    done = true;
  });
  // Lets the slowest go on once nothing else does.
  while (!done) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    waiting.shift()?.();
  }
  await archive;
  expect(most).toBeLessThanOrEqual(4);
  expect(most).toBeGreaterThan(1);
});
