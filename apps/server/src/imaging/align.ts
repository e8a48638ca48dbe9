import { type Affine, compose, distance, enlarged, identity, inverse } from "./affine.js";
import { type GreyImage, halved, type Plane, reducedLight, smoothed } from "./plane.js";
import { invertSymmetric, multiply } from "./symmetric.js";

/** Longest edge on which the alignment is refined; larger pictures are reduced by a whole factor. */
const FINEST_EDGE = 1600;
/** Shortest edge on which it begins. */
const COARSEST_EDGE = 24;
const MOST_ITERATIONS = 30;
/** Pixels: below, another iteration changes nothing that could be seen. */
const CONVERGED = 0.003;
/** Part of a picture that its counterpart must explain. Pictures that show different noise explain nothing. */
const LEAST_CORRELATION = 0.5;
/** Pixels of the whole picture that a corner may be off, as far as the remaining differences tell. */
const MOST_UNCERTAINTY = 0.5;
/** A lens that focuses neither turns nor magnifies more than this, nor does it move the picture by more of its width. */
const MOST_MAGNIFICATION = 0.12;
const MOST_TURN = 0.05;
const MOST_SHIFT = 0.12;
/** Neighbouring pixels of a smoothed picture do not tell independently. */
const PIXELS_PER_OBSERVATION = 12;

/** A picture in several sizes, the finest first, each half of the one before. */
export interface Pyramid {
  readonly levels: readonly Plane[];
  /** Pixels of the picture by pixels of the finest level, along an edge. */
  readonly factor: number;
}

export function pyramid(image: GreyImage): Pyramid {
  const factor = Math.max(1, Math.ceil(Math.max(image.width, image.height) / FINEST_EDGE));
  const levels = [reducedLight(image, factor)];
  for (let last = levels[0] as Plane; Math.min(last.width, last.height) >= 2 * COARSEST_EDGE; ) {
    last = halved(last);
    levels.push(last);
  }
  return { levels: levels.map((level) => smoothed(level, 2)), factor };
}

/**
 * Where the points of `reference` are in another picture of the same scene, focused elsewhere: magnified about any
 * point, shifted and turned. That is what a moving lens does to a picture; more freedom would only fit blur and noise.
 *
 * Least squares on the differences, from coarse to fine (inverse compositional Gauss-Newton); brightness and contrast
 * of the pictures may differ.
 *
 * @param start where the search begins
 * @returns undefined when the pictures do not tell: too little structure, or not the same scene
 */
export function align(reference: Pyramid, image: Pyramid, start: Affine = identity): Affine | undefined {
  const coarsest = reference.levels.length - 1;
  let transform = enlarged(start, 1 / (reference.factor * 2 ** coarsest));
  let found: Fit | undefined;
  for (let level = coarsest; level >= 0; level--) {
    found = refine(reference.levels[level] as Plane, image.levels[level] as Plane, transform);
    if (!found) return undefined;
    transform = level > 0 ? enlarged(found.transform, 2) : found.transform;
  }
  const { width, height } = reference.levels[0] as Plane;
  if (!found || found.correlation < LEAST_CORRELATION) return undefined;
  if (found.uncertainty * reference.factor > MOST_UNCERTAINTY) return undefined;
  const whole = enlarged(transform, reference.factor);
  return isPlausible(whole, width * reference.factor, height * reference.factor) ? whole : undefined;
}

function isPlausible(transform: Affine, width: number, height: number): boolean {
  const { a, d } = transform;
  const magnification = Math.hypot(a, d);
  if (Math.abs(magnification - 1) > MOST_MAGNIFICATION || Math.abs(Math.atan2(d, a)) > MOST_TURN)
    return false;
  const x = (width - 1) / 2;
  const y = (height - 1) / 2;
  const [toX, toY] = [
    transform.a * x + transform.b * y + transform.c,
    transform.d * x + transform.e * y + transform.f,
  ];
  return Math.hypot(toX - x, toY - y) <= MOST_SHIFT * Math.max(width, height);
}

interface Fit {
  readonly transform: Affine;
  /** Of the reference and the transformed picture, -1 to 1. */
  readonly correlation: number;
  /** Pixels of this level by which a corner may be off: one standard deviation. */
  readonly uncertainty: number;
}

/** How the value of each pixel changes with each of the four numbers of a similarity: shift, magnification, turn. */
function slopes({ width, height, values }: Plane): { rows: Float32Array; curvature: Float64Array } {
  const rows = new Float32Array(4 * values.length);
  const curvature = new Float64Array(16);
  const { middleX, middleY, reach } = frameOf(width, height);
  for (let y = 1; y < height - 1; y++) {
    const v = (y - middleY) / reach;
    for (let x = 1; x < width - 1; x++) {
      const pixel = y * width + x;
      const alongX = 0.5 * ((values[pixel + 1] as number) - (values[pixel - 1] as number));
      const alongY = 0.5 * ((values[pixel + width] as number) - (values[pixel - width] as number));
      const u = (x - middleX) / reach;
      const magnified = alongX * u + alongY * v;
      const turned = alongY * u - alongX * v;
      const row = 4 * pixel;
      rows[row] = alongX;
      rows[row + 1] = alongY;
      rows[row + 2] = magnified;
      rows[row + 3] = turned;
      for (let i = 0; i < 4; i++) {
        for (let j = 0; j <= i; j++) {
          const index = 4 * i + j;
          curvature[index] =
            (curvature[index] as number) + (rows[row + i] as number) * (rows[row + j] as number);
        }
      }
    }
  }
  for (let i = 0; i < 4; i++)
    for (let j = 0; j < i; j++) curvature[4 * j + i] = curvature[4 * i + j] as number;
  return { rows, curvature };
}

/** Coordinates in which a corner is at distance 1 from the middle. */
function frameOf(width: number, height: number) {
  const middleX = (width - 1) / 2;
  const middleY = (height - 1) / 2;
  return { middleX, middleY, reach: Math.hypot(middleX, middleY) };
}

function refine(reference: Plane, image: Plane, start: Affine): Fit | undefined {
  const { width, height } = reference;
  const { rows, curvature } = slopes(reference);
  const covariance = invertSymmetric(curvature, 4);
  if (!covariance) return undefined;
  const { middleX, middleY, reach } = frameOf(width, height);
  const warped = new Float32Array(reference.values.length);
  let transform = start;
  let fit: Fit | undefined;
  for (let iteration = 0; iteration < MOST_ITERATIONS; iteration++) {
    const compared = compare(reference, image, transform, warped);
    if (!compared) return undefined;
    const { gain, meanOfReference, meanOfImage, count, correlation } = compared;
    let [alongX, alongY, magnified, turned, squares] = [0, 0, 0, 0, 0];
    for (let pixel = 0; pixel < warped.length; pixel++) {
      const value = warped[pixel] as number;
      if (Number.isNaN(value)) continue;
      const difference =
        gain * (value - meanOfImage) - ((reference.values[pixel] as number) - meanOfReference);
      squares += difference * difference;
      const row = 4 * pixel;
      alongX += (rows[row] as number) * difference;
      alongY += (rows[row + 1] as number) * difference;
      magnified += (rows[row + 2] as number) * difference;
      turned += (rows[row + 3] as number) * difference;
    }
    const pull = [alongX, alongY, magnified, turned];
    const [shiftX = 0, shiftY = 0, magnify = 0, turn = 0] = multiply(covariance, pull);
    const variance = (PIXELS_PER_OBSERVATION * squares) / count;
    const trace = [0, 1, 2, 3].reduce((sum, i) => sum + (covariance[5 * i] as number), 0);
    fit = { transform, correlation, uncertainty: Math.sqrt(variance * trace) };
    // The step in the reference's pixels; its inverse is put before what has been found so far.
    const step: Affine = {
      a: 1 + magnify / reach,
      b: -turn / reach,
      c: shiftX - (magnify * middleX - turn * middleY) / reach,
      d: turn / reach,
      e: 1 + magnify / reach,
      f: shiftY - (turn * middleX + magnify * middleY) / reach,
    };
    transform = compose(transform, inverse(step));
    if (distance(step, identity, width, height) < CONVERGED) break;
  }
  return fit && { ...fit, transform };
}

interface Comparison {
  readonly gain: number;
  readonly meanOfReference: number;
  readonly meanOfImage: number;
  readonly count: number;
  readonly correlation: number;
}

/** Brings the picture to the reference, NaN where it does not reach, and finds how their values go together. */
function compare(
  reference: Plane,
  image: Plane,
  { a, b, c, d, e, f }: Affine,
  warped: Float32Array,
): Comparison | undefined {
  const { width, height } = reference;
  const lastX = image.width - 1;
  const lastY = image.height - 1;
  let count = 0;
  let sumR = 0;
  let sumI = 0;
  let sumRR = 0;
  let sumII = 0;
  let sumRI = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const pixel = y * width + x;
      const fromX = a * x + b * y + c;
      const fromY = d * x + e * y + f;
      if (!(fromX >= 0 && fromY >= 0 && fromX < lastX && fromY < lastY)) {
        warped[pixel] = Number.NaN;
        continue;
      }
      const left = Math.floor(fromX);
      const top = Math.floor(fromY);
      const first = top * image.width + left;
      const u = fromX - left;
      const v = fromY - top;
      const above = (image.values[first] as number) * (1 - u) + (image.values[first + 1] as number) * u;
      const below =
        (image.values[first + image.width] as number) * (1 - u) +
        (image.values[first + image.width + 1] as number) * u;
      const value = above * (1 - v) + below * v;
      warped[pixel] = value;
      const other = reference.values[pixel] as number;
      count++;
      sumR += other;
      sumI += value;
      sumRR += other * other;
      sumII += value * value;
      sumRI += other * value;
    }
  }
  const varianceR = sumRR - (sumR * sumR) / count;
  const varianceI = sumII - (sumI * sumI) / count;
  // Less than half of the picture, or pictures of one tone, tell nothing.
  if (2 * count < width * height || varianceR < 1e-3 * count || varianceI < 1e-3 * count) return undefined;
  const covariance = sumRI - (sumR * sumI) / count;
  return {
    gain: covariance / varianceI,
    meanOfReference: sumR / count,
    meanOfImage: sumI / count,
    count,
    correlation: covariance / Math.sqrt(varianceR * varianceI),
  };
}
