/** Enough of TIFF 6.0 to read back what cameras write: all values of a file's directory and those it points to. */
export interface TiffReading {
  readonly order: "II" | "MM";
  readonly values: ReadonlyMap<number, readonly number[] | string>;
  /** Directories in the order of their places in the file, without overlap. */
  readonly places: readonly (readonly [start: number, end: number])[];
}

const widths: Readonly<Record<number, number>> = { 1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 7: 1, 10: 8 };
const directories = new Set([0x8769, 0x014a]);

export function readTiff(bytes: Uint8Array): TiffReading {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const order = file.toString("latin1", 0, 2) as "II" | "MM";
  const little = order === "II";
  const u16 = (at: number) => (little ? file.readUInt16LE(at) : file.readUInt16BE(at));
  const u32 = (at: number) => (little ? file.readUInt32LE(at) : file.readUInt32BE(at));
  const i32 = (at: number) => (little ? file.readInt32LE(at) : file.readInt32BE(at));
  if (u16(2) !== 42) throw new Error(`not a TIFF file: ${u16(2)}`);
  const values = new Map<number, readonly number[] | string>();
  const places: [number, number][] = [];

  const value = (type: number, count: number, at: number): readonly number[] | string => {
    if (type === 2) return file.toString("latin1", at, at + count - 1);
    const width = widths[type];
    if (width === undefined) throw new Error(`type ${type} is unknown`);
    return Array.from({ length: count }, (_, index) => {
      const place = at + index * width;
      if (type === 5) return u32(place) / u32(place + 4);
      if (type === 10) return i32(place) / i32(place + 4);
      return width === 1 ? (file[place] as number) : width === 2 ? u16(place) : u32(place);
    });
  };
  const directory = (start: number) => {
    const count = u16(start);
    let last = -1;
    for (let entry = start + 2; entry < start + 2 + 12 * count; entry += 12) {
      const [tag, type, length] = [u16(entry), u16(entry + 2), u32(entry + 4)];
      if (tag <= last) throw new Error(`tag ${tag} comes after ${last}`);
      last = tag;
      const size = length * (widths[type] ?? 0);
      const at = size <= 4 ? entry + 8 : u32(entry + 8);
      if (at + size > file.length) throw new Error(`tag ${tag} points behind the file`);
      if (size > 4) places.push([at, at + size]);
      values.set(tag, value(type, length, at));
      if (directories.has(tag)) directory(u32(entry + 8));
    }
    if (u32(start + 2 + 12 * count) !== 0) throw new Error("there is a second directory");
    places.push([start, start + 2 + 12 * count + 4]);
  };
  directory(u32(4));
  places.sort(([a], [b]) => a - b);
  return { order, values, places };
}
