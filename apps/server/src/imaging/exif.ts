const APP0 = 0xe0;
const APP1 = 0xe1;
const START_OF_SCAN = 0xda;
const EXIF = "Exif\0\0";

/** A JPEG with what the camera said of another one: orientation, model, lens, as they are. Its own EXIF is replaced. */
export function withExifOf(jpeg: Uint8Array, source: Uint8Array): Uint8Array<ArrayBuffer> {
  const exif = segments(source).find((segment) => isExif(source, segment));
  const kept = segments(jpeg).filter((segment) => !isExif(jpeg, segment));
  const first = kept[0];
  // JFIF comes first where it is.
  const start = first?.marker === APP0 ? first.end : 2;
  const parts = [jpeg.subarray(0, start)];
  if (exif) parts.push(source.subarray(exif.start, exif.end));
  let from = start;
  for (const segment of segments(jpeg)) {
    if (!isExif(jpeg, segment)) continue;
    parts.push(jpeg.subarray(from, segment.start));
    from = segment.end;
  }
  parts.push(jpeg.subarray(from));
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let to = 0;
  for (const part of parts) {
    whole.set(part, to);
    to += part.length;
  }
  return whole;
}

interface Segment {
  readonly marker: number;
  readonly start: number;
  readonly end: number;
}

/** Those before the compressed pixels. */
function segments(jpeg: Uint8Array): Segment[] {
  const found: Segment[] = [];
  const view = new DataView(jpeg.buffer, jpeg.byteOffset, jpeg.length);
  for (let start = 2; start + 4 <= jpeg.length && jpeg[start] === 0xff; ) {
    const marker = jpeg[start + 1] as number;
    if (marker === START_OF_SCAN) break;
    const end = start + 2 + view.getUint16(start + 2);
    if (end > jpeg.length) break;
    found.push({ marker, start, end });
    start = end;
  }
  return found;
}

function isExif(jpeg: Uint8Array, { marker, start, end }: Segment): boolean {
  if (marker !== APP1 || end < start + 4 + EXIF.length) return false;
  return String.fromCharCode(...jpeg.subarray(start + 4, start + 4 + EXIF.length)) === EXIF;
}
