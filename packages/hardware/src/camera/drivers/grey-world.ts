import type { Pixels } from "../arrays.js";
import type { WhiteBalance } from "../white-balance.js";

/** Bytes between which a pixel tells its colour: neither lost in noise nor saturated. */
const DARKEST = 12;
const BRIGHTEST = 245;
/** Of the picture; what fewer pixels show is no colour of the whole. */
const LEAST_PART = 0.005;

/** Linear light of each byte, by the sRGB curve. */
const linear = Float64Array.from({ length: 256 }, (_, byte) => {
  const value = byte / 255;
  return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
});

/**
 * Factors that make the picture grey on average, as the colours of most things do.
 *
 * @returns undefined when too little of it tells its colour
 */
export function greyWorld({ width, height, rgb }: Pixels): WhiteBalance | undefined {
  const sums: [number, number, number] = [0, 0, 0];
  let counted = 0;
  for (let at = 0; at < rgb.length; at += 3) {
    const [red, green, blue] = [rgb[at] as number, rgb[at + 1] as number, rgb[at + 2] as number];
    if (green < DARKEST || Math.max(red, green, blue) > BRIGHTEST) continue;
    counted++;
    sums[0] += linear[red] as number;
    sums[1] += linear[green] as number;
    sums[2] += linear[blue] as number;
  }
  if (counted < LEAST_PART * width * height) return undefined;
  const [red, green, blue] = sums.map((sum) => Math.max(sum, 1e-6)) as [number, number, number];
  return { red: green / red, blue: green / blue };
}
