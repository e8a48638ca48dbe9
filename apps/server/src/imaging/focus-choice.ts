import { type Affine, isIdentity } from "./affine.js";
import { focusEnergy } from "./focus-energy.js";
import { boxMean, type GreyImage, type Plane } from "./plane.js";

/** Cells by picture: enough to follow the outlines of what is photographed, few enough for a small computer. */
const MOST_CELLS = 500_000;
/** Radius in cells of the square over which sharpness is judged; passes of it together weigh like a Gaussian. */
const RADIUS = 2;
const PASSES = 3;
/**
 * How much the farther surroundings count. Next to an outline there is nothing to see but the glow of photos that blur
 * it: there, the photo that shows the outline sharp is to be taken.
 */
const SURROUNDINGS = 0.3;
const SURROUNDINGS_RADIUS = 15;

/**
 * What a photo must be sharper by than the reference: twice the sharpness of the dullest places, which is noise, but no
 * more than nobody would miss.
 */
const NOISE = 2;
const MOST_NOISE = 18;
const DULLEST = 0.1;

/**
 * For each cell of the stacked picture, which of the photos is the sharpest there. Photos are shown to it one by one.
 * Where there is nothing to see, the reference stays.
 */
export class FocusChoice {
  /** Edge of a cell in pixels. */
  readonly cell: number;
  readonly #across: number;
  readonly #down: number;
  readonly #best: Float32Array;
  readonly #photo: Uint8Array;

  /** @param reference the photo whose place and scale the stacked picture has, and which one it is */
  constructor(reference: GreyImage, index: number) {
    const { width, height } = reference;
    this.cell = Math.max(1, Math.ceil(Math.sqrt((width * height) / MOST_CELLS)));
    this.#across = Math.ceil(width / this.cell);
    this.#down = Math.ceil(height / this.cell);
    this.#photo = new Uint8Array(this.#across * this.#down).fill(index);
    const { values } = judged(focusEnergy(reference, this.cell));
    const dull = values.toSorted()[Math.floor(DULLEST * values.length)] as number;
    const ahead = Math.min(MOST_NOISE, NOISE * dull);
    this.#best = values.map((value) => value + ahead);
  }

  /**
   * @param index which photo this is, up to 255
   * @param transform where points of the stacked picture are in it
   */
  add(index: number, photo: GreyImage, transform: Affine): void {
    const energy = judged(focusEnergy(photo, this.cell));
    const { a, b, c, d, e, f } = transform;
    const middle = (this.cell - 1) / 2;
    // Weights reach over two cells; the resampling, over four pixels. Beyond its border a photo shows nothing.
    const margin = 2 * this.cell + 4;
    const covers = (at: number, pixels: number) => at >= margin && at <= pixels - 1 - margin;
    const isWhole = isIdentity(transform);
    for (let y = 0; y < this.#down; y++) {
      for (let x = 0; x < this.#across; x++) {
        const toX = x * this.cell + middle;
        const toY = y * this.cell + middle;
        const fromX = a * toX + b * toY + c;
        const fromY = d * toX + e * toY + f;
        if (!isWhole && !(covers(fromX, photo.width) && covers(fromY, photo.height))) continue;
        const value = sample(energy, (fromX - middle) / this.cell, (fromY - middle) / this.cell);
        const at = y * this.#across + x;
        if (value <= (this.#best[at] as number)) continue;
        this.#best[at] = value;
        this.#photo[at] = index;
      }
    }
  }

  /** How much of a photo each cell takes, 0 to 1: all or nothing, but for the borders between photos. */
  weights(index: number): Plane {
    const values = Float32Array.from(this.#photo, (photo) => (photo === index ? 1 : 0));
    return boxMean({ width: this.#across, height: this.#down, values }, 1);
  }
}

/** Sharpness of cells with that of what is around them. */
function judged(energy: Plane): Plane {
  let near = energy;
  for (let pass = 0; pass < PASSES; pass++) near = boxMean(near, RADIUS);
  const far = boxMean(boxMean(near, SURROUNDINGS_RADIUS), SURROUNDINGS_RADIUS);
  return {
    ...near,
    values: near.values.map((value, index) => value + SURROUNDINGS * (far.values[index] as number)),
  };
}

function sample({ width, height, values }: Plane, x: number, y: number): number {
  const left = Math.min(width - 1, Math.max(0, Math.floor(x)));
  const top = Math.min(height - 1, Math.max(0, Math.floor(y)));
  const right = Math.min(width - 1, left + 1);
  const bottom = Math.min(height - 1, top + 1);
  const u = Math.min(1, Math.max(0, x - left));
  const v = Math.min(1, Math.max(0, y - top));
  const above =
    (values[top * width + left] as number) * (1 - u) + (values[top * width + right] as number) * u;
  const below =
    (values[bottom * width + left] as number) * (1 - u) + (values[bottom * width + right] as number) * u;
  return above * (1 - v) + below * v;
}
