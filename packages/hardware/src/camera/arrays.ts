/** Pixels of a picture, row by row, three bytes each: red, green, blue. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly rgb: Uint8Array;
}

/** A NumPy file of shape (height, width, 3). */
export function rgbArray({ width, height, rgb }: Pixels): Uint8Array {
  return npy([height, width, 3], rgb);
}

/**
 * A NumPy file of shape (height * 3 / 2, width): the brightness plane, then the two colour planes at half size,
 * as Picamera2 lays out YUV420 (full-range BT.601). An odd last row or column is left out.
 */
export function yuvArray(pixels: Pixels): Uint8Array {
  const width = pixels.width & ~1;
  const height = pixels.height & ~1;
  const planes = new Uint8Array((width * height * 3) / 2);
  const u = width * height;
  const v = u + u / 4;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = (y * pixels.width + x) * 3;
      const [r, g, b] = [
        pixels.rgb[at] as number,
        pixels.rgb[at + 1] as number,
        pixels.rgb[at + 2] as number,
      ];
      planes[y * width + x] = Math.round(0.299 * r + 0.587 * g + 0.114 * b);
      if ((x | y) & 1) continue;
      const half = (y / 2) * (width / 2) + x / 2;
      planes[u + half] = byte(128 - 0.168736 * r - 0.331264 * g + 0.5 * b);
      planes[v + half] = byte(128 + 0.5 * r - 0.418688 * g - 0.081312 * b);
    }
  }
  return npy([(height * 3) / 2, width], planes);
}

function byte(value: number): number {
  return Math.max(0, Math.min(255, Math.round(value)));
}

/** NumPy format 1.0: magic, version, length of the header, header padded to 64 bytes, then the values. */
function npy(shape: readonly number[], values: Uint8Array): Uint8Array {
  const text = `{'descr': '|u1', 'fortran_order': False, 'shape': (${shape.join(", ")}), }`;
  const length = Math.ceil((10 + text.length + 1) / 64) * 64;
  const header = Buffer.alloc(length, " ", "latin1");
  header.write("\x93NUMPY\x01\x00", "latin1");
  header.writeUInt16LE(length - 10, 8);
  header.write(text, 10, "latin1");
  header.write("\n", length - 1, "latin1");
  return Buffer.concat([header, values]);
}
