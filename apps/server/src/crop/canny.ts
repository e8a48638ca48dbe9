export interface GreyImage {
  readonly width: number;
  readonly height: number;
  /** One byte for each pixel, row by row. */
  readonly grey: Uint8Array;
}

const NO = 0;
const WEAK = 1;
const STRONG = 2;

/**
 * Edges after Canny, one byte for each pixel, 1 on an edge. The thresholds are those of |gx| + |gy| of 3 x 3 Sobel
 * filters; a weak edge counts where it touches a strong one. The outermost pixels are never edges.
 */
export function canny(image: GreyImage, low: number, high: number): Uint8Array {
  const { width, height } = image;
  const { gx, gy } = gradients(image);
  const strength = Float32Array.from(gx, (value, at) => Math.abs(value) + Math.abs(gy[at] ?? 0));
  const kind = new Uint8Array(width * height);
  const strong: number[] = [];
  for (let y = 1; y < height - 1; y++) {
    for (let x = 1; x < width - 1; x++) {
      const at = y * width + x;
      const here = strength[at] ?? 0;
      if (here <= low) continue;
      const across = acrossEdge(gx[at] ?? 0, gy[at] ?? 0, width);
      // Of two equal neighbours one has to win, or a wide edge would have none.
      if (here <= (strength[at - across] ?? 0) || here < (strength[at + across] ?? 0)) continue;
      kind[at] = here > high ? STRONG : WEAK;
      if (here > high) strong.push(at);
    }
  }
  const edges = new Uint8Array(width * height);
  for (let at = strong.pop(); at !== undefined; at = strong.pop()) {
    if (edges[at] === 1) continue;
    edges[at] = 1;
    for (const step of around(width)) {
      if (kind[at + step] !== NO && edges[at + step] === 0) strong.push(at + step);
    }
  }
  return edges;
}

/** Index offsets of the eight neighbours of a pixel. */
export const around = (width: number): number[] => [
  ...[-width - 1, -width, -width + 1],
  ...[-1, 1],
  ...[width - 1, width, width + 1],
];

function gradients({ width, height, grey }: GreyImage) {
  const gx = new Int16Array(width * height);
  const gy = new Int16Array(width * height);
  for (let y = 1; y < height - 1; y++) {
    for (let x = 1; x < width - 1; x++) {
      const at = y * width + x;
      const pixel = (offset: number) => grey[at + offset] ?? 0;
      const [nw, n, ne] = [pixel(-width - 1), pixel(-width), pixel(-width + 1)];
      const [w, e] = [pixel(-1), pixel(1)];
      const [sw, s, se] = [pixel(width - 1), pixel(width), pixel(width + 1)];
      gx[at] = ne + 2 * e + se - nw - 2 * w - sw;
      gy[at] = sw + 2 * s + se - nw - 2 * n - ne;
    }
  }
  return { gx, gy };
}

/** Offset of the neighbour in the direction of the gradient, to the nearest 45 degrees. */
function acrossEdge(gx: number, gy: number, width: number): number {
  const flat = Math.tan(Math.PI / 8);
  if (Math.abs(gy) <= flat * Math.abs(gx)) return 1;
  if (Math.abs(gx) <= flat * Math.abs(gy)) return width;
  return gx > 0 === gy > 0 ? width + 1 : width - 1;
}
