/** One channel of a picture, row by row. */
export interface Plane {
  readonly width: number;
  readonly height: number;
  readonly values: Float32Array;
}

/** One channel as it was read, 8 bits each. */
export interface GreyImage {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8Array;
}

/** Light by the value that a picture says for it: the inverse of the sRGB curve, 0 to 255. */
const light = Float32Array.from({ length: 256 }, (_, value) => {
  const part = value / 255;
  return 255 * (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
});

/**
 * The mean light of blocks of `factor` by `factor` pixels; what does not fill a block at the right and below is left
 * out. Light, because that is what a lens blurs: outlines keep their place, while in the values of the picture the
 * bright side of each grows.
 */
export function reducedLight({ width, height, pixels }: GreyImage, factor: number): Plane {
  return blockMeans(width, height, factor, (index) => light[pixels[index] as number] as number);
}

/** The means of blocks of two by two pixels. */
export function halved({ width, height, values }: Plane): Plane {
  return blockMeans(width, height, 2, (index) => values[index] as number);
}

function blockMeans(
  width: number,
  height: number,
  factor: number,
  valueAt: (index: number) => number,
): Plane {
  const across = Math.floor(width / factor);
  const down = Math.floor(height / factor);
  const means = new Float32Array(across * down);
  const scale = 1 / (factor * factor);
  for (let y = 0; y < down; y++) {
    for (let x = 0; x < across; x++) {
      let sum = 0;
      for (let row = y * factor; row < (y + 1) * factor; row++) {
        const first = row * width + x * factor;
        for (let index = first; index < first + factor; index++) sum += valueAt(index);
      }
      means[y * across + x] = sum * scale;
    }
  }
  return { width: across, height: down, values: means };
}

/**
 * Weighs every pixel with its neighbours 1 : 2 : 1 along both axes; at the border the last pixel is repeated. Each pass
 * blurs as a Gaussian of sigma 0.7.
 */
export function smoothed({ width, height, values }: Plane, passes = 1): Plane {
  let from = values;
  for (let pass = 0; pass < passes; pass++) {
    const across = new Float32Array(from.length);
    const both = new Float32Array(from.length);
    for (let y = 0; y < height; y++) {
      const row = y * width;
      for (let x = 0; x < width; x++) {
        const left = from[row + Math.max(0, x - 1)] as number;
        const right = from[row + Math.min(width - 1, x + 1)] as number;
        across[row + x] = 0.25 * (left + right) + 0.5 * (from[row + x] as number);
      }
    }
    for (let y = 0; y < height; y++) {
      const above = Math.max(0, y - 1) * width;
      const here = y * width;
      const below = Math.min(height - 1, y + 1) * width;
      for (let x = 0; x < width; x++) {
        both[here + x] =
          0.25 * ((across[above + x] as number) + (across[below + x] as number)) +
          0.5 * (across[here + x] as number);
      }
    }
    from = both;
  }
  return { width, height, values: from };
}

/**
 * Mean over a square of `2 * radius + 1` pixels; beyond the border there is nothing, and the mean is over what is
 * there. Running sums, so a wide square costs no more.
 */
export function boxMean({ width, height, values }: Plane, radius: number): Plane {
  const across = new Float32Array(values.length);
  const both = new Float32Array(values.length);
  for (let y = 0; y < height; y++) meanOfLine(values, across, y * width, 1, width, radius);
  for (let x = 0; x < width; x++) meanOfLine(across, both, x, width, height, radius);
  return { width, height, values: both };
}

function meanOfLine(
  from: Float32Array,
  to: Float32Array,
  first: number,
  stride: number,
  count: number,
  radius: number,
): void {
  let sum = 0;
  let counted = 0;
  for (let index = 0; index < Math.min(radius, count); index++, counted++)
    sum += from[first + index * stride] as number;
  for (let index = 0; index < count; index++) {
    if (index + radius < count) {
      sum += from[first + (index + radius) * stride] as number;
      counted++;
    }
    if (index - radius - 1 >= 0) {
      sum -= from[first + (index - radius - 1) * stride] as number;
      counted--;
    }
    to[first + index * stride] = sum / counted;
  }
}
