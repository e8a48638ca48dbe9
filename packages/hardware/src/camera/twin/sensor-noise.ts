import { Random } from "./random.js";

/** Standard deviations at gain 1: of the darkness, and of full brightness due to the count of photons. */
const READ_NOISE = 0.001;
const SHOT_NOISE = 0.008;
const NORMALS = 8192;

/** Noise that grows with the signal and the gain, the same for the same seed. */
export class SensorNoise {
  readonly #random: Random;
  readonly #normals: Float32Array;
  readonly #read: number;
  readonly #shot: number;

  constructor(seed: number, gain: number) {
    this.#random = new Random(seed);
    // Drawing from a fixed set is many times faster than making normal numbers, and looks the same.
    const shapes = new Random(1);
    this.#normals = Float32Array.from({ length: NORMALS }, () => shapes.normal());
    this.#read = (READ_NOISE * Math.max(gain, 0.1)) ** 2;
    this.#shot = SHOT_NOISE ** 2 * Math.max(gain, 0.1);
  }

  add(signal: number): number {
    const normal = this.#normals[this.#random.bits() & (NORMALS - 1)] as number;
    return signal + Math.sqrt(this.#read + this.#shot * signal) * normal;
  }
}
