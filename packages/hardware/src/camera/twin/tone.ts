const STEPS = 8191;

/** Linear light to bytes. Contrast turns the curve around its middle tone. */
export class ToneCurve {
  readonly #bytes: Uint8Array;

  /** sRGB encoding of IEC 61966-2-1. */
  constructor(contrast: number) {
    this.#bytes = Uint8Array.from({ length: STEPS + 1 }, (_, index) => {
      const linear = index / STEPS;
      const encoded = linear <= 0.0031308 ? 12.92 * linear : 1.055 * linear ** (1 / 2.4) - 0.055;
      return Math.round(255 * Math.min(1, Math.max(0, 0.5 + (encoded - 0.5) * contrast)));
    });
  }

  byte(linear: number): number {
    if (linear <= 0) return this.#bytes[0] as number;
    if (linear >= 1) return this.#bytes[STEPS] as number;
    return this.#bytes[(linear * STEPS + 0.5) | 0] as number;
  }
}
