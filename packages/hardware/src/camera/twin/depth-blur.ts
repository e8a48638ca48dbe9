import { boxBlur, type Plane } from "./box-blur.js";
import { blurDiameter } from "./focus.js";

const MOST_LEVELS = 5;
/** A square blurs as much as a disc of this diameter (equal variance along each axis). */
const SQUARE_BY_DISC = Math.sqrt(3) / 2;

/**
 * Blurs what is out of focus: up to five pictures from sharp to the strongest blur that occurs, blended pixel
 * by pixel. The background next to an outline takes the outline's blur, or edges would stay sharp.
 *
 * @param depth mm along the optical axis, Infinity for background; same size as the planes
 */
export function blurByDepth(
  planes: readonly Plane[],
  depth: Float32Array,
  dioptres: number,
  f: number,
): Plane[] {
  const [{ width, height }] = planes as [Plane];
  const covered = new Float32Array(depth.length);
  const diameters = new Float32Array(depth.length);
  let widest = 0;
  for (let pixel = 0; pixel < depth.length; pixel++) {
    if (depth[pixel] === Number.POSITIVE_INFINITY) continue;
    const disc = SQUARE_BY_DISC * blurDiameter(depth[pixel] as number, dioptres, f);
    // A pixel is a square of width 1 already; variances add up.
    const diameter = Math.sqrt(1 + disc * disc);
    covered[pixel] = 1;
    diameters[pixel] = diameter;
    widest = Math.max(widest, diameter);
  }
  if (widest < 1.01) return [...planes];

  spreadOutwards(diameters, covered, width, height, widest);
  const levels = Math.min(MOST_LEVELS, 2 + Math.floor(widest));
  const step = (widest - 1) / (levels - 1);
  const level = diameters.map((diameter) => Math.min(levels - 1, Math.max(0, (diameter - 1) / step)));
  return planes.map((plane) => blendLevels(plane, level, levels, step));
}

/** Gives background pixels the mean blur of the covered pixels around them. */
function spreadOutwards(
  diameters: Float32Array,
  covered: Float32Array,
  width: number,
  height: number,
  widest: number,
): void {
  const reach = 2 * Math.ceil(widest) + 3;
  const sums = boxBlur({ width, height, values: diameters }, reach).values;
  const counts = boxBlur({ width, height, values: covered }, reach).values;
  for (let pixel = 0; pixel < diameters.length; pixel++) {
    const count = counts[pixel] as number;
    // Running sums leave rounding errors where nothing is near.
    if (covered[pixel] === 0 && count > 1e-4) diameters[pixel] = (sums[pixel] as number) / count;
  }
}

function blendLevels(sharp: Plane, level: Float32Array, levels: number, step: number): Plane {
  const { width, height } = sharp;
  const values = new Float32Array(sharp.values.length);
  for (let index = 0; index < levels; index++) {
    const blurred = index === 0 ? sharp.values : boxBlur(sharp, 1 + index * step).values;
    for (let pixel = 0; pixel < values.length; pixel++) {
      const share = 1 - Math.abs((level[pixel] as number) - index);
      if (share > 0) values[pixel] = (values[pixel] as number) + share * (blurred[pixel] as number);
    }
  }
  return { width, height, values };
}
