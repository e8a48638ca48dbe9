import type { Affine } from "./affine.js";
import type { Plane } from "./plane.js";
import { type Area, type ColourImage, Resampler } from "./resample.js";

const TILE = 64;

/**
 * Blends photos into one picture, each with its weights. Takes one photo at a time, keeps the mean of those it has seen
 * and only computes what a photo contributes, so memory and time hardly depend on how many there are.
 */
export class Blend {
  readonly #width: number;
  readonly #height: number;
  readonly #cell: number;
  readonly #pixels: Uint8ClampedArray;
  /** Sum of the weights so far, in each cell. */
  #spent: Plane;
  readonly #tile = new Float32Array(3 * TILE * TILE);

  /** @param cell edge in pixels of the squares that have one weight */
  constructor(width: number, height: number, cell: number) {
    this.#width = width;
    this.#height = height;
    this.#cell = cell;
    this.#pixels = new Uint8ClampedArray(3 * width * height);
    const [across, down] = [Math.ceil(width / cell), Math.ceil(height / cell)];
    this.#spent = { width: across, height: down, values: new Float32Array(across * down) };
  }

  /** The mean of what was added. */
  get image(): ColourImage {
    const { buffer } = this.#pixels;
    return { width: this.#width, height: this.#height, pixels: new Uint8Array(buffer) };
  }

  /**
   * @param transform where points of the result are in the photo
   * @param weights of the cells, 0 to 1; between their middles they are interpolated
   */
  add(photo: ColourImage, transform: Affine, weights: Plane): void {
    const before = this.#spent;
    const values = before.values.map((spent, index) => spent + (weights.values[index] as number));
    const after = { ...before, values };
    const resampler = new Resampler(photo, transform);
    for (let top = 0; top < this.#height; top += TILE) {
      for (let left = 0; left < this.#width; left += TILE) {
        const right = Math.min(this.#width, left + TILE);
        const area = { left, top, right, bottom: Math.min(this.#height, top + TILE) };
        if (!this.#isTouched(weights, area)) continue;
        resampler.write(area, this.#tile);
        this.#addTile(area, weights, after);
      }
    }
    this.#spent = after;
  }

  /** Whether a pixel of the area has any weight. */
  #isTouched({ width, height, values }: Plane, { left, top, right, bottom }: Area): boolean {
    const cell = (pixel: number) => Math.floor(pixel / this.#cell);
    for (let y = Math.max(0, cell(top) - 1); y <= Math.min(height - 1, cell(bottom - 1) + 1); y++) {
      for (let x = Math.max(0, cell(left) - 1); x <= Math.min(width - 1, cell(right - 1) + 1); x++) {
        if ((values[y * width + x] as number) > 0) return true;
      }
    }
    return false;
  }

  /** Moves each pixel towards the photo by its part of all weights so far. */
  #addTile({ left, top, right, bottom }: Area, weights: Plane, sums: Plane): void {
    const { width, height } = weights;
    const middle = (this.#cell - 1) / 2;
    let from = 0;
    for (let y = top; y < bottom; y++) {
      const cellY = Math.min(height - 1, Math.max(0, (y - middle) / this.#cell));
      const upper = Math.floor(cellY) * width;
      const lower = Math.min(height - 1, Math.floor(cellY) + 1) * width;
      const v = cellY - Math.floor(cellY);
      for (let x = left; x < right; x++, from += 3) {
        const cellX = Math.min(width - 1, Math.max(0, (x - middle) / this.#cell));
        const near = Math.floor(cellX);
        const next = Math.min(width - 1, near + 1);
        const u = cellX - near;
        const weight = mixed(weights.values, upper, lower, near, next, u, v);
        if (weight < 1e-4) continue;
        const part = weight / mixed(sums.values, upper, lower, near, next, u, v);
        const to = 3 * (y * this.#width + x);
        for (let colour = 0; colour < 3; colour++) {
          const mean = this.#pixels[to + colour] as number;
          // Rounded and limited to 0 to 255 by the array.
          this.#pixels[to + colour] = mean + part * ((this.#tile[from + colour] as number) - mean);
        }
      }
    }
  }
}

/** Between two cells of two rows. */
function mixed(
  values: Float32Array,
  upper: number,
  lower: number,
  near: number,
  next: number,
  u: number,
  v: number,
): number {
  const above = (values[upper + near] as number) * (1 - u) + (values[upper + next] as number) * u;
  const below = (values[lower + near] as number) * (1 - u) + (values[lower + next] as number) * u;
  return above * (1 - v) + below * v;
}
