import { randomBytes } from "node:crypto";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { deflateRawSync } from "node:zlib";
import { expect, test } from "vitest";
import { type RawMember, rawZip } from "../../test/support/cloud-bench.js";
import { temporaryFolder } from "../tasks/testing.js";
import { unpackModel, type UnpackOptions } from "./unpack-model.js";

async function unpack(archive: Uint8Array, change: Partial<UnpackOptions> = {}) {
  const root = await temporaryFolder();
  const folder = join(root, "model");
  await mkdir(folder);
  await writeFile(join(root, "archive.zip"), archive);
  const unpacked = unpackModel(join(root, "archive.zip"), folder, {
    signal: new AbortController().signal,
    pass: async () => {},
    archiveBytes: archive.length,
    requireSpace: async () => {},
    ...change,
  });
  return { root, folder, unpacked };
}

const deflated = (name: string, bytes: Uint8Array): RawMember => {
  const [crc] = [rawZip([{ name, bytes }]).readUInt32LE(14)];
  return { name, bytes: deflateRawSync(bytes), method: 8, size: bytes.length, crc };
};

test("members come out as they went in, deflated or not, in their folders", async () => {
  const text = Buffer.from("v 1 2 3\n".repeat(10_000));
  const { folder, unpacked } = await unpack(
    rawZip([
      { name: "empty/", mode: 0o040755, bytes: Buffer.alloc(0) },
      { name: "a/b/größe.txt" },
      deflated("a/x.obj", text),
      { name: "nothing", bytes: Buffer.alloc(0) },
    ]),
  );
  await unpacked;
  expect((await readdir(folder, { recursive: true })).toSorted()).toEqual([
    "a",
    "a/b",
    "a/b/größe.txt",
    "a/x.obj",
    "empty",
    "nothing",
  ]);
  expect(await readFile(join(folder, "a", "x.obj"))).toEqual(text);
});

const bomb = Buffer.alloc(100 * 2 ** 20);

test.each<[string, readonly RawMember[], RegExp]>([
  ["a name above", [{ name: "../evil" }], /invalid relative path: \.\.\/evil/],
  ["a name above in its middle", [{ name: "a/../../evil" }], /invalid relative path/],
  ["an absolute name", [{ name: "/etc/evil" }], /absolute path: \/etc\/evil/],
  ["a drive", [{ name: "c:/evil" }], /absolute path: c:\/evil/],
  ["a name above with backslashes", [{ name: "..\\evil" }], /invalid relative path/],
  ["an empty part", [{ name: "a//evil" }], /"a\/\/evil" has no plain relative name/],
  ["a dot", [{ name: "./evil" }], /"\.\/evil" has no plain relative name/],
  ["a control character", [{ name: "evil\u0000.obj" }], /has no plain relative name/],
  [
    "a link",
    [{ name: "link", bytes: Buffer.from("/etc/passwd"), mode: 0o120777 }],
    /"link" is neither a file nor a folder/,
  ],
  ["a device", [{ name: "dev", mode: 0o060644 }], /"dev" is neither a file nor a folder/],
  ["a code", [{ name: "a", flags: 0x801, bytes: Buffer.alloc(20), size: 8 }], /"a" is encrypted/],
  ["an unknown method", [{ name: "a", method: 99 }], /"a" is packed in an unknown way/],
  ["a name twice", [{ name: "a" }, { name: "a" }], /it has two members "a"/],
  ["a file that is a folder, too", [{ name: "a" }, { name: "a/b" }], /cannot be unpacked/],
  ["a wrong checksum", [{ name: "a", crc: 1 }], /"a" is damaged/],
  ["a wrong size", [{ ...deflated("a", randomBytes(1000)), size: 10 }], /too many bytes|size/],
  ["a claim to be huge", [{ name: "a", size: 2 ** 31 }], /size|fill/],
  ["a bomb", [deflated("a", bomb)], /it would fill 104857600 bytes and more/],
  ["no file", [{ name: "a/", mode: 0o040755, bytes: Buffer.alloc(0) }], /it is empty/],
  ["no member", [], /it is empty/],
])("an archive with %s is refused, and nothing is written outside", async (_, members, message) => {
  const { root, unpacked } = await unpack(rawZip(members));
  await expect(unpacked).rejects.toThrow(message);
  await expect(unpacked).rejects.toMatchObject({ code: "bad_gateway" });
  expect((await readdir(root)).toSorted()).toEqual(["archive.zip", "model"]);
});

test("too many members are refused before anything is written", async () => {
  const members = Array.from({ length: 20_001 }, (_, index) => ({ name: `${index}` }));
  const { folder, unpacked } = await unpack(rawZip(members));
  await expect(unpacked).rejects.toThrow("it has more than 20000 members");
  expect(await readdir(folder)).toEqual([]);
});

test.each([
  ["cut off", 100],
  ["without its end", 20],
  ["of nothing", 0],
])("an archive %s is refused", async (_, bytes) => {
  const archive = rawZip([{ name: "a", bytes: randomBytes(1000) }]);
  const { unpacked } = await unpack(archive.subarray(0, bytes));
  await expect(unpacked).rejects.toThrow("the model of the cloud cannot be unpacked");
});

test("the space is asked for before, and a stop is obeyed", async () => {
  const archive = rawZip([{ name: "a", bytes: randomBytes(1000) }]);
  const full = await unpack(archive, {
    requireSpace: async (bytes) => {
      throw new Error(`no room for ${bytes}`);
    },
  });
  await expect(full.unpacked).rejects.toThrow("no room for 1000");
  const abort = new AbortController();
  const stopped = await unpack(archive, {
    signal: abort.signal,
    pass: async () => abort.abort(new Error("stopped")),
  });
  await expect(stopped.unpacked).rejects.toThrow("stopped");
});
