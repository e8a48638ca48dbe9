import { crc32, inflateRawSync } from "node:zlib";

export interface ReadEntry {
  readonly name: string;
  readonly bytes: Buffer;
  /** Whether other users may read it, and the like. */
  readonly mode: number;
  /** From the extra field, in UTC. */
  readonly modified: Date;
}

/**
 * Reads an archive, and is stricter than real readers are: every byte must belong to something,
 * in the order in which the directory lists it, and everything that is said twice must agree.
 */
export function readZip(archive: Buffer): ReadEntry[] {
  const { entries, start } = readEnd(archive);
  const read: ReadEntry[] = [];
  let at = start;
  let next = 0;
  for (let index = 0; index < entries; index++) {
    const { entry, end, local, localEnd } = readEntry(archive, at);
    requireThat(local === next, `${entry.name} begins at ${local}, not ${next}`);
    next = localEnd;
    at = end;
    read.push(entry);
  }
  requireThat(next === start, `the directory begins at ${start}, the files end at ${next}`);
  return read;
}

/** Contents as text, by name. */
export function readTexts(archive: Buffer): Record<string, string> {
  return Object.fromEntries(readZip(archive).map(({ name, bytes }) => [name, bytes.toString()]));
}

function readEnd(archive: Buffer): { entries: number; start: number } {
  const end = archive.length - 22;
  requireThat(archive.readUInt32LE(end) === 0x06054b50, "the archive has no end");
  const short = { entries: archive.readUInt16LE(end + 10), start: archive.readUInt32LE(end + 16) };
  if (short.entries < 0xffff && short.start < 0xffffffff) return short;
  const locator = end - 20;
  requireThat(archive.readUInt32LE(locator) === 0x07064b50, "the archive has no zip64 locator");
  const zip64 = Number(archive.readBigUInt64LE(locator + 8));
  requireThat(archive.readUInt32LE(zip64) === 0x06064b50, "the archive has no zip64 end");
  return {
    entries: Number(archive.readBigUInt64LE(zip64 + 32)),
    start: Number(archive.readBigUInt64LE(zip64 + 48)),
  };
}

function readEntry(archive: Buffer, at: number) {
  requireThat(archive.readUInt32LE(at) === 0x02014b50, `no directory entry at ${at}`);
  const u16 = (offset: number) => archive.readUInt16LE(at + offset);
  const u32 = (offset: number) => archive.readUInt32LE(at + offset);
  const end = at + 46 + u16(28) + u16(30) + u16(32);
  const name = archive.toString("utf8", at + 46, at + 46 + u16(28));
  const [flags, method, time, crc, size, local] = [u16(8), u16(10), u32(12), u32(16), u32(24), u32(42)];
  const packed = u32(20);
  requireThat(flags === 0x808, `${name} is not stored as it should be`);
  requireThat(method === 8 || (method === 0 && packed === size), `${name} is not stored as it should be`);

  requireThat(archive.readUInt32LE(local) === 0x04034b50, `${name} has no local header`);
  const nameEnd = local + 30 + archive.readUInt16LE(local + 26);
  requireThat(archive.toString("utf8", local + 30, nameEnd) === name, `${name} has another local name`);
  requireThat(
    archive.readUInt16LE(local + 6) === flags && archive.readUInt32LE(local + 10) === time,
    `${name} differs in its two headers`,
  );
  const from = nameEnd + archive.readUInt16LE(local + 28);
  const stored = archive.subarray(from, from + packed);
  const bytes = method === 8 ? inflateRawSync(stored) : stored;
  const [signature, ...said] = [0, 4, 8, 12].map((field) => archive.readUInt32LE(from + packed + field));
  requireThat(signature === 0x08074b50, `${name} has no descriptor`);
  requireThat(said.join() === [crc, packed, size].join(), `${name} is described as ${said.join()}`);
  requireThat(bytes.length === size && crc32(bytes) === crc, `${name} has another checksum`);

  const extra = at + 46 + u16(28);
  requireThat(archive.readUInt16LE(extra) === 0x5455, `${name} has no time`);
  const modified = new Date(1000 * archive.readUInt32LE(extra + 5));
  const entry: ReadEntry = { name, bytes, mode: u32(38) >>> 16, modified };
  return { entry, end, local, localEnd: from + packed + 16 };
}

function requireThat(met: boolean, otherwise: string): void {
  if (!met) throw new Error(otherwise);
}
