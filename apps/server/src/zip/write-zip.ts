import { constants, type Stats } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { crc32, createDeflateRaw } from "node:zlib";
import { unlessMissing } from "../projects/folders.js";
import { Blocks, type Write } from "./blocks.js";
import { centralHeader, descriptor, endRecords, localHeader, type WrittenEntry } from "./format.js";

/** A file of the archive: its content, or the path of a file on the disk. */
export interface ZipEntry {
  /** With `/` between folders. */
  readonly name: string;
  readonly content: ZipContent;
}
type ZipContent =
  /** `level`: of compression, 1 to 9, which is worth it for text and hardly for photos; otherwise there is none. */
  | { readonly path: string; readonly level?: number }
  | { readonly bytes: string | Uint8Array; readonly modified: Date };

const LARGE = 0xffff_ffff;
/** As much as is read at a time of what is compressed. */
const PACKED_BLOCK = 2 ** 16;
/** A link or a pipe that has taken the place of a file is not followed, nor waited for. */
const PLAIN_READ = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/**
 * Writes a ZIP archive, of uncompressed files unless asked for, as long as it may be, with a few MB of memory.
 *
 * Each file is opened when its turn comes and read to the size that it has then; what follows about size and checksum
 * is what was read. So the archive is valid whatever becomes of the files meanwhile: one that is replaced is there as
 * it was or as it is, one that grows up to where it was, one that is gone is left out.
 *
 * @throws what `write` throws, and the file system's errors other than a missing file: the archive has no end then
 */
export async function writeZip(
  entries: Iterable<ZipEntry> | AsyncIterable<ZipEntry>,
  write: Write,
): Promise<void> {
  const blocks = new Blocks(write);
  const written: WrittenEntry[] = [];
  for await (const { name, content } of entries) {
    const entry = await ("path" in content
      ? writeFile(name, content, blocks)
      : writeBytes(name, content, blocks));
    if (entry) written.push(entry);
  }
  const start = blocks.position;
  for (const entry of written) await blocks.append(centralHeader(entry));
  await blocks.append(endRecords(written.length, start, blocks.position - start));
  await blocks.end();
}

async function writeFile(
  name: string,
  { path, level }: { readonly path: string; readonly level?: number },
  blocks: Blocks,
): Promise<WrittenEntry | undefined> {
  const file = await unlessMissing(open(path, PLAIN_READ));
  if (!file) return undefined;
  try {
    const stats = await file.stat();
    if (!stats.isFile()) return undefined;
    const opened = { file, stats };
    return await (level === undefined
      ? copyFile(name, opened, blocks)
      : packFile(name, { ...opened, level }, blocks));
  } finally {
    await file.close();
  }
}

interface OpenFile {
  readonly file: FileHandle;
  readonly stats: Stats;
}

async function copyFile(name: string, { file, stats }: OpenFile, blocks: Blocks): Promise<WrittenEntry> {
  const { size: limit, mtime: modified } = stats;
  const offset = blocks.position;
  const mayBeLarge = limit >= LARGE;
  await blocks.append(localHeader(name, modified, mayBeLarge));
  let crc = 0;
  let size = 0;
  while (size < limit) {
    const part = await blocks.fill(
      limit - size,
      async (free) => (await file.read(free, 0, free.length, size)).bytesRead,
    );
    if (part.length === 0) break;
    crc = crc32(part, crc);
    size += part.length;
  }
  await blocks.append(descriptor(crc, size, mayBeLarge));
  return { name, modified, crc, size, offset };
}

async function packFile(
  name: string,
  { file, stats, level }: OpenFile & { readonly level: number },
  blocks: Blocks,
): Promise<WrittenEntry> {
  const { size: limit, mtime: modified } = stats;
  const offset = blocks.position;
  const mayBeLarge = limit >= LARGE;
  await blocks.append(localHeader(name, modified, mayBeLarge, true));
  const start = blocks.position;
  let crc = 0;
  let size = 0;
  await pipeline(
    async function* () {
      while (size < limit) {
        const block = Buffer.allocUnsafe(Math.min(PACKED_BLOCK, limit - size));
        const { bytesRead } = await file.read(block, 0, block.length, size);
        if (bytesRead === 0) return;
        const part = block.subarray(0, bytesRead);
        crc = crc32(part, crc);
        size += bytesRead;
        yield part;
      }
    },
    createDeflateRaw({ level }),
    async (packed: AsyncIterable<Buffer>) => {
      for await (const part of packed) await blocks.append(part);
    },
  );
  const packed = blocks.position - start;
  await blocks.append(descriptor(crc, size, mayBeLarge, packed));
  return { name, modified, crc, size, packed, offset };
}

async function writeBytes(
  name: string,
  { bytes, modified }: { readonly bytes: string | Uint8Array; readonly modified: Date },
  blocks: Blocks,
): Promise<WrittenEntry> {
  const content = typeof bytes === "string" ? Buffer.from(bytes) : bytes;
  const offset = blocks.position;
  const mayBeLarge = content.length >= LARGE;
  const crc = crc32(content);
  await blocks.append(localHeader(name, modified, mayBeLarge));
  await blocks.append(content);
  await blocks.append(descriptor(crc, content.length, mayBeLarge));
  return { name, modified, crc, size: content.length, offset };
}
