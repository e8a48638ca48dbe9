import { Random } from "./random.js";

const SIZE = 64;
const MASK = SIZE - 1;
/** Wavelengths in mm. Colour is coarse; brightness carries the features that photogrammetry matches. */
const COLOUR_WAVES = [17, 8.3];
const BRIGHTNESS_WAVES = [3.1, 1.7, 0.94, 0.52, 0.28];
const BRIGHTNESS_FALL = 0.88;
const BRIGHTNESS = 1.1;

/**
 * Solid texture: every point in space has a colour, so it needs no mapping and has no seams. Sums of value
 * noise from one 64³ table; each octave is faded out where it would become finer than 2 to 3 pixels.
 */
export class SolidTexture {
  readonly #table: Float32Array;

  constructor(seed = 20_260) {
    const random = new Random(seed);
    this.#table = Float32Array.from({ length: SIZE ** 3 }, () => 2 * random.unit() - 1);
  }

  /**
   * Writes red, green and blue albedo (0 to 1, linear) at `offset` of `out`.
   *
   * @param footprint size of one pixel on the surface in mm
   * @param material 0 = the object's glaze, 1 = the plate's stone
   */
  write(
    out: Float32Array,
    offset: number,
    x: number,
    y: number,
    z: number,
    footprint: number,
    material: 0 | 1,
  ): void {
    const broad = this.#noise(x / (COLOUR_WAVES[0] as number), y / 17 + 5.3, z / 17 + 11.7);
    const middle = this.#noise(x / (COLOUR_WAVES[1] as number) + 31.4, y / 8.3 + 7.9, z / 8.3);
    const hue = smooth(0.5 + 0.75 * broad + 0.45 * middle);
    const light = Math.exp(this.#brightness(x, y, z, footprint));

    if (material === 1) {
      out[offset] = Math.min(1, light * (0.22 + 0.04 * hue));
      out[offset + 1] = Math.min(1, light * 0.24);
      out[offset + 2] = Math.min(1, light * (0.27 - 0.03 * hue));
      return;
    }
    out[offset] = Math.min(1, light * (0.15 + 0.32 * hue));
    out[offset + 1] = Math.min(1, light * (0.3 - 0.03 * hue));
    out[offset + 2] = Math.min(1, light * (0.28 - 0.14 * hue));
  }

  #brightness(x: number, y: number, z: number, footprint: number): number {
    let sum = 0;
    let amplitude = BRIGHTNESS;
    for (let octave = 0; octave < BRIGHTNESS_WAVES.length; octave++) {
      const wave = BRIGHTNESS_WAVES[octave] as number;
      const weight = smooth(wave / footprint - 2);
      if (weight === 0) break;
      sum += amplitude * weight * this.#noise(x / wave + 13.7 * octave, y / wave + 3.1, z / wave);
      amplitude *= BRIGHTNESS_FALL;
      // Turned from octave to octave, or the lattices of all would line up into visible rows.
      const turnedX = 0.36 * x + 0.48 * y - 0.8 * z;
      const turnedY = -0.8 * x + 0.6 * y;
      z = 0.48 * x + 0.64 * y + 0.6 * z;
      x = turnedX;
      y = turnedY;
    }
    return sum;
  }

  /** Value noise from -1 to 1 at lattice coordinates. */
  #noise(x: number, y: number, z: number): number {
    const ix = Math.floor(x);
    const iy = Math.floor(y);
    const iz = Math.floor(z);
    const fx = x - ix;
    const fy = y - iy;
    const fz = z - iz;
    const sx = fx * fx * (3 - 2 * fx);
    const sy = fy * fy * (3 - 2 * fy);
    const sz = fz * fz * (3 - 2 * fz);
    const x0 = ix & MASK;
    const x1 = (ix + 1) & MASK;
    const y0 = (iy & MASK) * SIZE;
    const y1 = ((iy + 1) & MASK) * SIZE;
    const z0 = (iz & MASK) * SIZE * SIZE;
    const z1 = ((iz + 1) & MASK) * SIZE * SIZE;
    const table = this.#table;
    const a = mix(table[z0 + y0 + x0] as number, table[z0 + y0 + x1] as number, sx);
    const b = mix(table[z0 + y1 + x0] as number, table[z0 + y1 + x1] as number, sx);
    const c = mix(table[z1 + y0 + x0] as number, table[z1 + y0 + x1] as number, sx);
    const d = mix(table[z1 + y1 + x0] as number, table[z1 + y1 + x1] as number, sx);
    return mix(mix(a, b, sy), mix(c, d, sy), sz);
  }
}

function mix(a: number, b: number, part: number): number {
  return a + (b - a) * part;
}

/** 0 below 0, 1 above 1, a smooth step between. */
function smooth(part: number): number {
  if (part <= 0) return 0;
  if (part >= 1) return 1;
  return part * part * (3 - 2 * part);
}
