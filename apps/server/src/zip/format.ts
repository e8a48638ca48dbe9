/** Records of a ZIP archive: APPNOTE 6.3, sections 4.3 to 4.5. */

/** What is known of an entry once it has been written. */
export interface WrittenEntry {
  readonly name: string;
  readonly modified: Date;
  readonly crc: number;
  readonly size: number;
  /** Its size in the archive, when it is compressed. */
  readonly packed?: number;
  /** Of its local header, from the beginning of the archive. */
  readonly offset: number;
}

/** A 32-bit field that says this is to be read from the zip64 record instead. */
const SEE_ZIP64 = 0xffff_ffff;
const MANY_ENTRIES = 0xffff;

/** 4.5: needed for zip64, and more than enough for everything else here. */
const VERSION = 45;
const MADE_ON_UNIX = 3 << 8;
const STORED = 0;
const DEFLATED = 8;
/** Bit 3: checksum and size follow the content. Bit 11: the name is UTF-8. */
const FLAGS = (1 << 3) | (1 << 11);
const REGULAR_FILE = 0o100644 * 2 ** 16;

const isLarge = (value: number) => value >= SEE_ZIP64;
const capped = (value: number) => Math.min(value, SEE_ZIP64);

/** @param mayBeLarge whether the content may have 4 GiB or more; `descriptor` is to be told the same */
export function localHeader(name: string, modified: Date, mayBeLarge: boolean, isPacked = false): Buffer {
  const bytes = Buffer.from(name);
  const large = mayBeLarge ? [0, 0] : [];
  return new Fields(0x04034b50, 30 + bytes.length + extraLength(large))
    .common(modified, {
      isPacked,
      crc: 0,
      sizes: mayBeLarge ? [SEE_ZIP64, SEE_ZIP64] : [0, 0],
      name: bytes,
      large,
    })
    .bytes(bytes)
    .extra(modified, large).record;
}

/** Stands behind the content. */
export function descriptor(crc: number, size: number, mayBeLarge: boolean, packed = size): Buffer {
  const fields = new Fields(0x08074b50, mayBeLarge ? 24 : 16).u32(crc);
  return (mayBeLarge ? fields.u64(packed).u64(size) : fields.u32(packed).u32(size)).record;
}

export function centralHeader({ name, modified, crc, size, packed, offset }: WrittenEntry): Buffer {
  const bytes = Buffer.from(name);
  const inArchive = packed ?? size;
  // Both or none: some readers expect that.
  const areLarge = isLarge(size) || isLarge(inArchive);
  const large = [...(areLarge ? [size, inArchive] : []), ...(isLarge(offset) ? [offset] : [])];
  const sizes: Sizes = areLarge ? [SEE_ZIP64, SEE_ZIP64] : [inArchive, size];
  return new Fields(0x02014b50, 46 + bytes.length + extraLength(large))
    .u16(MADE_ON_UNIX | VERSION)
    .common(modified, { isPacked: packed !== undefined, crc, sizes, name: bytes, large })
    .u16(0) // comment
    .u16(0) // disk
    .u16(0) // internal attributes
    .u32(REGULAR_FILE)
    .u32(capped(offset))
    .bytes(bytes)
    .extra(modified, large).record;
}

/** What follows the central headers, `size` bytes from `start` on, and ends the archive. */
export function endRecords(entries: number, start: number, size: number): Buffer {
  const few = Math.min(entries, MANY_ENTRIES);
  const end = new Fields(0x06054b50, 22)
    .u32(0) // disks
    .u16(few)
    .u16(few)
    .u32(capped(size))
    .u32(capped(start))
    .u16(0).record; // comment
  if (entries < MANY_ENTRIES && !isLarge(start) && !isLarge(size)) return end;
  const zip64 = new Fields(0x06064b50, 56)
    .u64(44) // bytes of this record from here on
    .u16(MADE_ON_UNIX | VERSION)
    .u16(VERSION)
    .u64(0) // disks
    .u64(entries)
    .u64(entries)
    .u64(size)
    .u64(start).record;
  const locator = new Fields(0x07064b50, 20)
    .u32(0)
    .u64(start + size)
    .u32(1).record;
  return Buffer.concat([zip64, locator, end]);
}

/** In the archive, and of the content itself. */
type Sizes = readonly [packed: number, size: number];

interface CommonFields {
  readonly isPacked: boolean;
  readonly crc: number;
  readonly sizes: Sizes;
  readonly name: Buffer;
  /** What the zip64 field holds. */
  readonly large: readonly number[];
}

const TIME_EXTRA_BYTES = 9;

function extraLength(large: readonly number[]): number {
  return TIME_EXTRA_BYTES + (large.length > 0 ? 4 + 8 * large.length : 0);
}

/** A record that is filled from its beginning to its end. */
class Fields {
  readonly record: Buffer;
  #at = 0;

  constructor(signature: number, length: number) {
    this.record = Buffer.allocUnsafe(length);
    this.u32(signature);
  }

  u16(value: number): this {
    this.#at = this.record.writeUInt16LE(value, this.#at);
    return this;
  }

  u32(value: number): this {
    this.#at = this.record.writeUInt32LE(value, this.#at);
    return this;
  }

  u64(value: number): this {
    this.#at = this.record.writeBigUInt64LE(BigInt(value), this.#at);
    return this;
  }

  bytes(bytes: Buffer): this {
    this.#at += bytes.copy(this.record, this.#at);
    return this;
  }

  /** What local and central headers have in common. */
  common(modified: Date, { isPacked, crc, sizes: [packed, size], name, large }: CommonFields): this {
    const { time, date } = dosTime(modified);
    return this.u16(VERSION)
      .u16(FLAGS)
      .u16(isPacked ? DEFLATED : STORED)
      .u16(time)
      .u16(date)
      .u32(crc)
      .u32(packed)
      .u32(size)
      .u16(name.length)
      .u16(extraLength(large));
  }

  /** The time in UTC, where the format's own field has local time of an unknown zone; and what 32 bits cannot hold. */
  extra(modified: Date, large: readonly number[]): this {
    const seconds = Math.min(0x7fff_ffff, Math.max(0, Math.floor(modified.getTime() / 1000)));
    this.u16(0x5455)
      .u16(5)
      .bytes(Buffer.from([1]))
      .u32(seconds);
    if (large.length > 0) this.u16(0x0001).u16(8 * large.length);
    for (const value of large) this.u64(value);
    return this;
  }
}

/** From 1980 to 2107, in steps of two seconds. */
function dosTime(modified: Date): { time: number; date: number } {
  const year = modified.getFullYear();
  if (!(year >= 1980)) return { time: 0, date: (1 << 5) | 1 };
  if (year > 2107) return { time: 0, date: (127 << 9) | (12 << 5) | 31 };
  return {
    time: (modified.getHours() << 11) | (modified.getMinutes() << 5) | (modified.getSeconds() >> 1),
    date: ((year - 1980) << 9) | ((modified.getMonth() + 1) << 5) | modified.getDate(),
  };
}
