import { type Affine, isIdentity } from "./affine.js";
import { invertSymmetric, multiply } from "./symmetric.js";

/** Red, green, blue, 8 bits each, row by row. */
export interface ColourImage {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8Array;
}

/** A part of a picture: from left and top up to, but without, right and bottom. */
export interface Area {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

const TAPS = 8;
/** Taps before and after a place between two pixels. */
const HALF = TAPS / 2;
const PHASES = 256;
/** Waves per pixel up to which detail is to pass unchanged. Lenses and sensors leave hardly anything beyond. */
const BAND = 0.38;
/** Keeps what lies beyond from growing. */
const CAUTION = 0.002;
/** Weights of the pixels around a place between two of them, for each phase of it. */
const kernel = leastSquares();

/**
 * For each place, the weights with which waves within the band come out nearest to what they are there. A windowed sinc
 * of this length, usual as it is, would take a twentieth from fine detail half-way between two pixels.
 */
function leastSquares(): Float32Array {
  const weights = new Float32Array((PHASES + 1) * TAPS);
  // The mean over the band of the product of a wave at two places so far apart.
  const likeness = (distance: number) => {
    const x = 2 * Math.PI * BAND * distance;
    return x === 0 ? 1 : Math.sin(x) / x;
  };
  const places = Array.from({ length: TAPS }, (_, tap) => tap - HALF + 1);
  const matrix = Float64Array.from(
    places.flatMap((one) => places.map((other) => likeness(one - other) + (one === other ? CAUTION : 0))),
  );
  const inverted = invertSymmetric(matrix, TAPS) as Float64Array;
  for (let phase = 0; phase <= PHASES; phase++) {
    const taps = multiply(
      inverted,
      places.map((place) => likeness(place - phase / PHASES)),
    );
    const sum = taps.reduce((total, weight) => total + weight, 0);
    weights.set(
      taps.map((weight) => weight / sum),
      phase * TAPS,
    );
  }
  return weights;
}

/**
 * A picture as it looks transformed, interpolated over eight pixels along each axis, one axis after the other: bilinear
 * interpolation would blur away the very detail that a stack is made for. Beyond its border the picture's last pixels
 * are repeated.
 */
export class Resampler {
  readonly #image: ColourImage;
  readonly #transform: Affine;
  #rows = new Float32Array(0);

  /** @param transform where points of the result are in the picture; nearly the identity */
  constructor(image: ColourImage, transform: Affine) {
    this.#image = image;
    this.#transform = transform;
  }

  /** Writes red, green, blue of one part of the result, row by row. */
  write(area: Area, result: Float32Array): void {
    if (isIdentity(this.#transform)) {
      this.#copy(area, result);
      return;
    }
    const { d, e, f } = this.#transform;
    const heights = [area.left, area.right - 1].flatMap((x) =>
      [area.top, area.bottom - 1].map((y) => d * x + e * y + f),
    );
    const first = Math.floor(Math.min(...heights)) - HALF + 1;
    const last = Math.floor(Math.max(...heights)) + HALF;
    this.#across(area, first, last);
    this.#down(area, first, result);
  }

  #copy({ left, top, right, bottom }: Area, result: Float32Array): void {
    const { width, pixels } = this.#image;
    for (let y = top; y < bottom; y++)
      result.set(
        pixels.subarray(3 * (y * width + left), 3 * (y * width + right)),
        3 * (y - top) * (right - left),
      );
  }

  /** Each row of the picture that is needed, resampled where the columns of the result meet it. */
  #across({ left, right }: Area, first: number, last: number): void {
    const { width, height, pixels } = this.#image;
    const { a, b, c, d, e, f } = this.#transform;
    const columns = right - left;
    const needed = 3 * columns * (last - first + 1);
    if (this.#rows.length < needed) this.#rows = new Float32Array(needed);
    const rows = this.#rows;
    let to = 0;
    for (let row = first; row <= last; row++) {
      const line = Math.min(height - 1, Math.max(0, row)) * width;
      for (let x = left; x < right; x++) {
        const fromX = a * x + (b * (row - f - d * x)) / e + c;
        const whole = Math.floor(fromX);
        const phase = Math.round((fromX - whole) * PHASES) * TAPS;
        const start = whole - HALF + 1;
        const isInside = start >= 0 && start + TAPS <= width;
        const at = (tap: number) =>
          3 * (line + (isInside ? start + tap : Math.min(width - 1, Math.max(0, start + tap))));
        const [p0, p1, p2, p3] = [at(0), at(1), at(2), at(3)];
        const [p4, p5, p6, p7] = [at(4), at(5), at(6), at(7)];
        for (let colour = 0; colour < 3; colour++) {
          rows[to++] = between(
            phase,
            pixels[p0 + colour] as number,
            pixels[p1 + colour] as number,
            pixels[p2 + colour] as number,
            pixels[p3 + colour] as number,
            pixels[p4 + colour] as number,
            pixels[p5 + colour] as number,
            pixels[p6 + colour] as number,
            pixels[p7 + colour] as number,
          );
        }
      }
    }
  }

  #down({ left, top, right, bottom }: Area, first: number, result: Float32Array): void {
    const { d, e, f } = this.#transform;
    const stride = 3 * (right - left);
    const rows = this.#rows;
    let to = 0;
    for (let y = top; y < bottom; y++) {
      for (let x = left; x < right; x++) {
        const fromY = d * x + e * y + f;
        const whole = Math.floor(fromY);
        const phase = Math.round((fromY - whole) * PHASES) * TAPS;
        const from = (whole - HALF + 1 - first) * stride + 3 * (x - left);
        for (let colour = from; colour < from + 3; colour++) {
          result[to++] = between(
            phase,
            rows[colour] as number,
            rows[colour + stride] as number,
            rows[colour + 2 * stride] as number,
            rows[colour + 3 * stride] as number,
            rows[colour + 4 * stride] as number,
            rows[colour + 5 * stride] as number,
            rows[colour + 6 * stride] as number,
            rows[colour + 7 * stride] as number,
          );
        }
      }
    }
  }
}

/** How far a value may leave its neighbours': room for fine detail, which has its peaks between the pixels. */
const OVERSHOOT = 8;

/**
 * The value between the fourth and the fifth of eight. It stays near the four nearest: beyond, the kernel would draw
 * dark and bright lines along outlines.
 *
 * @param phase where the weights of the place between the two begin
 */
function between(
  phase: number,
  v0: number,
  v1: number,
  v2: number,
  v3: number,
  v4: number,
  v5: number,
  v6: number,
  v7: number,
): number {
  const value =
    (kernel[phase] as number) * v0 +
    (kernel[phase + 1] as number) * v1 +
    (kernel[phase + 2] as number) * v2 +
    (kernel[phase + 3] as number) * v3 +
    (kernel[phase + 4] as number) * v4 +
    (kernel[phase + 5] as number) * v5 +
    (kernel[phase + 6] as number) * v6 +
    (kernel[phase + 7] as number) * v7;
  const least = Math.min(v2, v3, v4, v5) - OVERSHOOT;
  return Math.min(Math.max(v2, v3, v4, v5) + OVERSHOOT, Math.max(least, value));
}
