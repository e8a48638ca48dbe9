/** One channel of a picture, row by row. */
export interface Plane {
  readonly width: number;
  readonly height: number;
  readonly values: Float32Array;
}

/**
 * Mean over a square of `diameter` pixels, which need not be a whole number: the pixels at its edge count
 * by their part. Running sums, so a wide square costs no more. Beyond the border all is 0.
 */
export function boxBlur(plane: Plane, diameter: number): Plane {
  const { width, height } = plane;
  const across = new Float32Array(width * height);
  const values = new Float32Array(width * height);
  for (let y = 0; y < height; y++) blurLine(plane.values, across, y * width, 1, width, diameter);
  for (let x = 0; x < width; x++) blurLine(across, values, x, width, height, diameter);
  return { width, height, values };
}

function blurLine(
  from: Float32Array,
  to: Float32Array,
  first: number,
  stride: number,
  count: number,
  diameter: number,
): void {
  const radius = Math.floor((diameter - 1) / 2);
  const edge = (diameter - 1) / 2 - radius;
  const scale = 1 / diameter;
  let sum = 0;
  for (let index = 0; index < Math.min(radius, count); index++) sum += from[first + index * stride] as number;
  for (let index = 0; index < count; index++) {
    const entering = index + radius;
    const leaving = index - radius - 1;
    const left = leaving >= 0 ? (from[first + leaving * stride] as number) : 0;
    const right = entering + 1 < count ? (from[first + (entering + 1) * stride] as number) : 0;
    if (entering < count) sum += from[first + entering * stride] as number;
    sum -= left;
    to[first + index * stride] = (sum + edge * (left + right)) * scale;
  }
}
