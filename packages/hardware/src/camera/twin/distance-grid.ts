import { OBJECT_HALF_EDGE, objectDistance } from "./shape.js";
import { length3 } from "./vector.js";

const SIZE = 112;
const STEP = (2 * OBJECT_HALF_EDGE) / (SIZE - 1);
const PER_MM = 1 / STEP;
/** Edge of the blocks that are measured before their cells; divides `SIZE`. */
const BLOCK = 7;

/** Distances to the object on a 112³ grid (5.6 MB), so that one step of a ray costs one look-up. */
export class DistanceGrid {
  /** Distance between neighbouring grid points in mm. */
  static readonly step = STEP;
  readonly #cells: Float32Array;
  /** Distance from the object to the nearest face of the grid. */
  readonly #margin: number;

  constructor() {
    this.#cells = bake();
    this.#margin = faceMinimum(this.#cells);
  }

  /** Distance to the object in mm, interpolated; outside the grid a lower bound. */
  at(x: number, y: number, z: number): number {
    const gx = (x + OBJECT_HALF_EDGE) * PER_MM;
    const gy = (y + OBJECT_HALF_EDGE) * PER_MM;
    const gz = (z + OBJECT_HALF_EDGE) * PER_MM;
    if (!(gx >= 0 && gy >= 0 && gz >= 0 && gx < SIZE - 1 && gy < SIZE - 1 && gz < SIZE - 1)) {
      return this.#outside(x, y, z);
    }
    const ix = gx | 0;
    const iy = gy | 0;
    const iz = gz | 0;
    const fx = gx - ix;
    const fy = gy - iy;
    const fz = gz - iz;
    const cells = this.#cells;
    const i = (iz * SIZE + iy) * SIZE + ix;
    const j = i + SIZE * SIZE;
    const a = mix(cells[i] as number, cells[i + 1] as number, fx);
    const b = mix(cells[i + SIZE] as number, cells[i + SIZE + 1] as number, fx);
    const c = mix(cells[j] as number, cells[j + 1] as number, fx);
    const d = mix(cells[j + SIZE] as number, cells[j + SIZE + 1] as number, fx);
    return mix(mix(a, b, fy), mix(c, d, fy), fz);
  }

  /** Every way in passes a face of the grid, so both parts of the way may be added. */
  #outside(x: number, y: number, z: number): number {
    const beyondX = Math.max(Math.abs(x) - OBJECT_HALF_EDGE, 0);
    const beyondY = Math.max(Math.abs(y) - OBJECT_HALF_EDGE, 0);
    const beyondZ = Math.max(Math.abs(z) - OBJECT_HALF_EDGE, 0);
    return Math.sqrt(beyondX * beyondX + beyondY * beyondY + beyondZ * beyondZ) + this.#margin;
  }
}

function mix(a: number, b: number, part: number): number {
  return a + (b - a) * part;
}

/**
 * Measures every cell near the surface. In blocks far from it the middle's distance is carried over as a
 * lower bound, which is enough to pass by and saves most of the time.
 */
function bake(): Float32Array {
  const cells = new Float32Array(SIZE * SIZE * SIZE);
  const reach = (Math.sqrt(3) * BLOCK * STEP) / 2;
  for (let z = 0; z < SIZE; z += BLOCK) {
    for (let y = 0; y < SIZE; y += BLOCK) {
      for (let x = 0; x < SIZE; x += BLOCK) {
        const half = (BLOCK - 1) / 2;
        const middle = objectDistance(coordinate(x + half), coordinate(y + half), coordinate(z + half));
        fill(cells, x, y, z, Math.abs(middle) > 1.5 * reach ? middle : undefined);
      }
    }
  }
  return cells;
}

function fill(cells: Float32Array, x0: number, y0: number, z0: number, middle: number | undefined): void {
  const half = (BLOCK - 1) / 2;
  for (let z = z0; z < z0 + BLOCK; z++) {
    for (let y = y0; y < y0 + BLOCK; y++) {
      for (let x = x0; x < x0 + BLOCK; x++) {
        const cell = (z * SIZE + y) * SIZE + x;
        if (middle === undefined) {
          cells[cell] = objectDistance(coordinate(x), coordinate(y), coordinate(z));
          continue;
        }
        const away = STEP * length3(x - x0 - half, y - y0 - half, z - z0 - half);
        cells[cell] = Math.sign(middle) * (Math.abs(middle) - away);
      }
    }
  }
}

function coordinate(index: number): number {
  return index * STEP - OBJECT_HALF_EDGE;
}

function faceMinimum(cells: Float32Array): number {
  const last = SIZE - 1;
  let minimum = Number.POSITIVE_INFINITY;
  for (let a = 0; a < SIZE; a++) {
    for (let b = 0; b < SIZE; b++) {
      for (const face of [0, last]) {
        minimum = Math.min(
          minimum,
          cells[(face * SIZE + a) * SIZE + b] as number,
          cells[(a * SIZE + face) * SIZE + b] as number,
          cells[(a * SIZE + b) * SIZE + face] as number,
        );
      }
    }
  }
  return minimum;
}
