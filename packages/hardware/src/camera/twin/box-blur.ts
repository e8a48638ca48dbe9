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
  const at = (index: number) => (index < 0 || index >= count ? 0 : (from[first + index * stride] as number));
  let sum = 0;
  for (let index = 0; index < radius; index++) sum += at(index);
  for (let index = 0; index < count; index++) {
    sum += at(index + radius) - at(index - radius - 1);
    const ends = at(index + radius + 1) + at(index - radius - 1);
    to[first + index * stride] = (sum + edge * ends) / diameter;
  }
}
