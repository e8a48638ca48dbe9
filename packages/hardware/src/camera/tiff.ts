/** A value of a TIFF directory, as TIFF 6.0 knows them; `directory` and `data` are pointers that are filled in. */
export type TiffValue =
  | {
      readonly type: "byte" | "short" | "long" | "rational" | "srational";
      readonly values: readonly number[];
    }
  | { readonly type: "ascii"; readonly text: string }
  | { readonly type: "undefined"; readonly bytes: Uint8Array }
  | { readonly type: "directory"; readonly fields: TiffFields }
  | { readonly type: "data"; readonly bytes: Uint8Array };

/** Values by their tags. */
export type TiffFields = ReadonlyMap<number, TiffValue>;

const codes = { byte: 1, ascii: 2, short: 3, long: 4, rational: 5, undefined: 7, srational: 10 } as const;
const HEADER_BYTES = 8;
const ENTRY_BYTES = 12;

/** Bytes of a file with one directory, in little-endian order; what values point to lies behind it. */
export function encodeTiff(fields: TiffFields): Uint8Array<ArrayBuffer> {
  const header = new Uint8Array(HEADER_BYTES);
  const view = new DataView(header.buffer);
  header.set([0x49, 0x49]);
  view.setUint16(2, 42, true);
  view.setUint32(4, HEADER_BYTES, true);
  return joined([header, ...encodeDirectory(fields, HEADER_BYTES)]);
}

export const short = (...values: readonly number[]): TiffValue => ({ type: "short", values });
export const long = (...values: readonly number[]): TiffValue => ({ type: "long", values });
export const ascii = (text: string): TiffValue => ({ type: "ascii", text });
export const rational = (...values: readonly number[]): TiffValue => ({ type: "rational", values });

/** @param start where in the file it will lie */
function encodeDirectory(fields: TiffFields, start: number): Uint8Array[] {
  const entries = [...fields].sort(([a], [b]) => a - b);
  const size = 2 + ENTRY_BYTES * entries.length + 4;
  const directory = new Uint8Array(size);
  const view = new DataView(directory.buffer);
  const parts: Uint8Array[] = [directory];
  let end = start + size;
  const place = (bytes: Uint8Array): number => {
    const offset = end;
    const even = bytes.length % 2 === 0 ? bytes : joined([bytes, new Uint8Array(1)]);
    parts.push(even);
    end += even.length;
    return offset;
  };

  view.setUint16(0, entries.length, true);
  for (const [index, [tag, value]] of entries.entries()) {
    const at = 2 + ENTRY_BYTES * index;
    view.setUint16(at, tag, true);
    if (value.type === "directory" || value.type === "data") {
      view.setUint16(at + 2, codes.long, true);
      view.setUint32(at + 4, 1, true);
      if (value.type === "data") view.setUint32(at + 8, place(value.bytes), true);
      else {
        const inner = joined(encodeDirectory(value.fields, end));
        view.setUint32(at + 8, place(inner), true);
      }
      continue;
    }
    const { count, bytes } = encodeValue(value);
    view.setUint16(at + 2, codes[value.type], true);
    view.setUint32(at + 4, count, true);
    if (bytes.length <= 4) directory.set(bytes, at + 8);
    else view.setUint32(at + 8, place(bytes), true);
  }
  return parts;
}

type PlainValue = Exclude<TiffValue, { readonly type: "directory" | "data" }>;

function encodeValue(value: PlainValue): { readonly count: number; readonly bytes: Uint8Array } {
  if (value.type === "undefined") return { count: value.bytes.length, bytes: value.bytes };
  if (value.type === "ascii") {
    // What is not ASCII has no place in such a value.
    const bytes = Buffer.from(`${value.text.replaceAll(/[^\x20-\x7e]/g, "?")}\0`, "latin1");
    return { count: bytes.length, bytes };
  }
  const { values, type } = value;
  const width = { byte: 1, short: 2, long: 4, rational: 8, srational: 8 }[type];
  const bytes = new Uint8Array(width * values.length);
  const view = new DataView(bytes.buffer);
  for (const [index, number] of values.entries()) {
    const at = index * width;
    if (type === "byte") view.setUint8(at, number);
    else if (type === "short") view.setUint16(at, number, true);
    else if (type === "long") view.setUint32(at, number, true);
    else {
      const denominator = denominatorFor(number);
      view.setInt32(at, Math.round(number * denominator), true);
      view.setInt32(at + 4, denominator, true);
    }
  }
  return { count: values.length, bytes };
}

/** As many decimals as fit. */
function denominatorFor(value: number): number {
  let denominator = 1_000_000;
  while (denominator > 1 && Math.abs(value) * denominator > 0x7fff_ffff) denominator /= 10;
  return denominator;
}

function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
