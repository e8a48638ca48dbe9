import { ascii, encodeTiff, rational, short, type TiffValue } from "./tiff.js";

/** What is known about a shot; whatever is left out is not told. */
export interface ShotFacts {
  readonly make?: string;
  readonly model?: string;
  readonly software?: string;
  readonly exposureSeconds?: number;
  readonly fNumber?: number;
  /** ISO speed. */
  readonly iso?: number;
  readonly focalLengthMm?: number;
  /** What the lens would be on 35 mm film; photogrammetry starts from it. */
  readonly focalLength35Mm?: number;
}

/** Tags of TIFF 6.0 and EXIF 2.32 that a photo carries. */
const Tag = {
  make: 0x010f,
  model: 0x0110,
  orientation: 0x0112,
  software: 0x0131,
  exif: 0x8769,
  exposureTime: 0x829a,
  fNumber: 0x829d,
  iso: 0x8827,
  exifVersion: 0x9000,
  focalLength: 0x920a,
  focalLength35: 0xa405,
} as const;

/** Tags of one shot, for a TIFF file or an EXIF segment; those of the camera's own directory are within. */
export function shotTags(facts: ShotFacts, orientation: number): Map<number, TiffValue> {
  const { make, model, software, exposureSeconds, fNumber, iso, focalLengthMm, focalLength35Mm } = facts;
  const exif = known([
    [Tag.exposureTime, exposureSeconds, rational],
    [Tag.fNumber, fNumber, rational],
    [Tag.iso, iso, whole],
    [Tag.focalLength, focalLengthMm, rational],
    [Tag.focalLength35, focalLength35Mm, whole],
  ]);
  exif.set(Tag.exifVersion, { type: "undefined", bytes: Buffer.from("0232", "latin1") });
  const tags = known([
    [Tag.make, make, ascii],
    [Tag.model, model, ascii],
    [Tag.software, software, ascii],
  ]);
  // The settings allow 9, which EXIF does not know.
  if (orientation >= 1 && orientation <= 8) tags.set(Tag.orientation, short(orientation));
  return tags.set(Tag.exif, { type: "directory", fields: exif });
}

/**
 * Adds what viewers and photogrammetry look for in a JPEG. The picture is neither decoded nor turned. EXIF that the
 * camera wrote itself stays as it is, but for the orientation: that is a setting of the scanner.
 *
 * @returns the same bytes when they are no JPEG, or have EXIF that cannot be added to
 */
export function withExif(jpeg: Uint8Array, facts: ShotFacts, orientation: number): Uint8Array {
  const segments = segmentsOf(jpeg);
  if (!segments) return jpeg;
  const own = segments.find((segment) => isExif(jpeg, segment));
  if (own) return withOrientation(jpeg, own, orientation);
  const jfif = segments.find(({ marker, start }) => marker === APP0 && start === 2);
  const at = jfif ? jfif.end : 2;
  return spliced(jpeg, { start: at, end: at }, exifSegment(encodeTiff(shotTags(facts, orientation))));
}

const APP0 = 0xe0;
const APP1 = 0xe1;
const START_OF_SCAN = 0xda;
const EXIF = Buffer.from("Exif\0\0", "latin1");
/** Length of a segment counts itself in 16 bits. */
const MAX_SEGMENT = 0xffff;

interface Segment {
  readonly marker: number;
  /** Of its `FF` byte. */
  readonly start: number;
  readonly end: number;
}

/** The segments before the picture itself; `undefined` when this is no JPEG. */
function segmentsOf(jpeg: Uint8Array): Segment[] | undefined {
  if (jpeg[0] !== 0xff || jpeg[1] !== 0xd8) return undefined;
  const segments: Segment[] = [];
  for (let start = 2; start + 4 <= jpeg.length; ) {
    const marker = jpeg[start + 1] as number;
    if (jpeg[start] !== 0xff) return undefined;
    if (marker === START_OF_SCAN) return segments;
    const end = start + 2 + (((jpeg[start + 2] as number) << 8) | (jpeg[start + 3] as number));
    if (end < start + 4 || end > jpeg.length) return undefined;
    segments.push({ marker, start, end });
    start = end;
  }
  return undefined;
}

function isExif(jpeg: Uint8Array, { marker, start, end }: Segment): boolean {
  return marker === APP1 && EXIF.equals(jpeg.subarray(start + 4, Math.min(end, start + 4 + EXIF.length)));
}

function exifSegment(tiff: Uint8Array): Uint8Array {
  const head = Buffer.from([0xff, APP1, 0, 0]);
  head.writeUInt16BE(2 + EXIF.length + tiff.length, 2);
  return Buffer.concat([head, EXIF, tiff]);
}

function spliced(bytes: Uint8Array, { start, end }: Omit<Segment, "marker">, middle: Uint8Array): Uint8Array {
  return Buffer.concat([bytes.subarray(0, start), middle, bytes.subarray(end)]);
}

/** Sets the orientation in EXIF that is there: in its place, or in a longer directory behind everything else. */
function withOrientation(jpeg: Uint8Array, segment: Segment, orientation: number): Uint8Array {
  if (orientation > 8) return jpeg;
  const tiff = Buffer.from(jpeg.subarray(segment.start + 4 + EXIF.length, segment.end));
  const changed = setOrientation(tiff, orientation);
  if (!changed || changed.length + 2 + EXIF.length > MAX_SEGMENT) return jpeg;
  return spliced(jpeg, segment, exifSegment(changed));
}

function setOrientation(tiff: Buffer, orientation: number): Buffer | undefined {
  const order = tiff.toString("latin1", 0, 2);
  if ((order !== "II" && order !== "MM") || tiff.length < 8) return undefined;
  const { u16, u32, put16, put32 } = access(tiff, order === "II");
  const start = u32(4);
  if (start + 2 > tiff.length) return undefined;
  const count = u16(start);
  const end = start + 2 + 12 * count;
  if (end + 4 > tiff.length) return undefined;

  const place = Array.from({ length: count }, (_, index) => start + 2 + 12 * index).find(
    (entry) => u16(entry) >= Tag.orientation,
  );
  if (place !== undefined && u16(place) === Tag.orientation) {
    put16(tiff, place + 2, 3);
    put32(tiff, place + 4, 1);
    put16(tiff, place + 8, orientation);
    put16(tiff, place + 10, 0);
    return tiff;
  }
  const split = place ?? end;
  const added = Buffer.alloc(12);
  put16(added, 0, Tag.orientation);
  put16(added, 2, 3);
  put32(added, 4, 1);
  put16(added, 8, orientation);
  const newCount = Buffer.alloc(2);
  put16(newCount, 0, count + 1);
  const padding = Buffer.alloc(tiff.length % 2);
  put32(tiff, 4, tiff.length + padding.length);
  return Buffer.concat([
    tiff,
    padding,
    newCount,
    tiff.subarray(start + 2, split),
    added,
    tiff.subarray(split, end + 4),
  ]);
}

function access(tiff: Buffer, little: boolean) {
  return {
    u16: (at: number) => (little ? tiff.readUInt16LE(at) : tiff.readUInt16BE(at)),
    u32: (at: number) => (little ? tiff.readUInt32LE(at) : tiff.readUInt32BE(at)),
    put16: (to: Buffer, at: number, value: number) =>
      little ? to.writeUInt16LE(value, at) : to.writeUInt16BE(value, at),
    put32: (to: Buffer, at: number, value: number) =>
      little ? to.writeUInt32LE(value, at) : to.writeUInt32BE(value, at),
  };
}

type Known<T extends string | number> = readonly [
  tag: number,
  value: T | undefined,
  encode: (value: T) => TiffValue,
];

function known<T extends string | number>(facts: readonly Known<T>[]): Map<number, TiffValue> {
  return new Map(
    facts.flatMap(([tag, value, encode]) => (value === undefined ? [] : [[tag, encode(value)] as const])),
  );
}

/** EXIF counts these in 16 bits. */
const whole = (value: number): TiffValue => short(Math.min(0xffff, Math.max(0, Math.round(value))));
