import { createWriteStream } from "node:fs";
import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { crc32 } from "node:zlib";
import { ScanError } from "@openscan/protocol";
import { type Entry, openPromise, type ZipFile } from "yauzl";
import { hasCode, reason } from "../projects/folders.js";

const maxMembers = 20_000;
/** What a model's texts and pictures never reach, and an archive that is made to fill the disk does. */
const maxRatio = 100;
const smallBytes = 64 * 1024 * 1024;
const fileType = 0o170000;
const allowedTypes: readonly number[] = [0, 0o100000, 0o040000];

export interface UnpackOptions {
  readonly signal: AbortSignal;
  /** Waits while the unpacking is to pause. */
  readonly pass: () => Promise<void>;
  readonly archiveBytes: number;
  /** Throws when so many bytes cannot be written. */
  readonly requireSpace: (bytes: number) => Promise<void>;
}

/**
 * Unpacks an archive into an empty folder. Everything that it says of itself is checked before anything is written,
 * and again by what comes out of it.
 *
 * @throws ScanError `bad_gateway` for an archive that is damaged or dangerous, `storage`, or the signal's reason
 */
export async function unpackModel(archive: string, folder: string, options: UnpackOptions): Promise<void> {
  let zip: ZipFile | undefined;
  try {
    zip = await openPromise(archive, { autoClose: false });
    const members = await readMembers(zip, options);
    for (const { entry, parts } of members) {
      const path = join(folder, ...parts);
      if (entry.fileName.endsWith("/")) await mkdir(path, { recursive: true });
      else await writeMember(zip, entry, path, options);
    }
  } catch (error) {
    options.signal.throwIfAborted();
    if (error instanceof ScanError) throw error;
    if (hasCode(error, "ENOSPC", "EDQUOT", "EACCES", "EROFS", "EIO", "EMFILE"))
      throw new ScanError("storage", `the model could not be unpacked: ${reason(error)}`, { cause: error });
    throw unusable(reason(error), error);
  } finally {
    zip?.close();
  }
}

interface Member {
  readonly entry: Entry;
  readonly parts: readonly string[];
}

async function readMembers(
  zip: ZipFile,
  { archiveBytes, requireSpace, signal }: UnpackOptions,
): Promise<Member[]> {
  const most = Math.max(smallBytes, maxRatio * archiveBytes);
  const members: Member[] = [];
  let bytes = 0;
  for await (const entry of zip.eachEntry()) {
    signal.throwIfAborted();
    bytes += entry.uncompressedSize;
    if (members.length === maxMembers) throw unusable(`it has more than ${maxMembers} members`);
    if (bytes > most) throw unusable(`it would fill ${bytes} bytes and more, which no model does`);
    members.push({ entry, parts: checkedParts(entry) });
  }
  if (!members.some(({ entry }) => !entry.fileName.endsWith("/"))) throw unusable("it is empty");
  await requireSpace(bytes);
  return members;
}

function checkedParts(entry: Entry): string[] {
  const { fileName } = entry;
  const shown = JSON.stringify(fileName);
  const parts = fileName.replace(/\/$/, "").split("/");
  // oxlint-disable-next-line no-control-regex
  if (parts.some((part) => ["", ".", ".."].includes(part)) || /^[a-z]:|[\u0000-\u001f\\]/i.test(fileName))
    throw unusable(`its member ${shown} has no plain relative name`);
  const type = (entry.externalFileAttributes >>> 16) & fileType;
  if (!allowedTypes.includes(type)) throw unusable(`its member ${shown} is neither a file nor a folder`);
  if (entry.isEncrypted()) throw unusable(`its member ${shown} is encrypted`);
  if (!entry.canDecodeFileData()) throw unusable(`its member ${shown} is packed in an unknown way`);
  return parts;
}

async function writeMember(
  zip: ZipFile,
  entry: Entry,
  path: string,
  { signal, pass }: UnpackOptions,
): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  let crc = 0;
  const check = new Transform({
    transform(chunk: Buffer, _, done) {
      crc = crc32(chunk, crc);
      pass().then(() => done(null, chunk), done);
    },
  });
  const content = await zip.openReadStreamPromise(entry);
  try {
    await pipeline(content, check, createWriteStream(path, { flags: "wx", mode: 0o644, flush: true }), {
      signal,
    });
  } catch (error) {
    if (!hasCode(error, "EEXIST")) throw error;
    throw unusable(`it has two members ${JSON.stringify(entry.fileName)}`);
  }
  if (crc !== entry.crc32) throw unusable(`its member ${JSON.stringify(entry.fileName)} is damaged`);
}

function unusable(why: string, cause?: unknown): ScanError {
  return new ScanError("bad_gateway", `the model of the cloud cannot be unpacked: ${why}`, { cause });
}
