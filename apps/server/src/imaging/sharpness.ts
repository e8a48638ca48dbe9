/** Pixels row by row, 8 bits for each of their channels: 3 for red, green and blue, or 1 for grey. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  readonly values: Uint8Array;
}

/**
 * How sharp a picture is: the variance of the Laplacian (left + right + above + below - 4 x middle) of its green, over
 * all pixels that have four neighbours, in squared levels. Edges that are sharp make it large; what is smooth or out of
 * focus, small. Noise counts as sharpness. It compares pictures of one size and one motif. Green has most of the
 * brightness, and a grey picture would cost as much again as decoding this one.
 */
export function laplacianVariance({ width, height, channels, values }: Picture): number {
  const count = (width - 2) * (height - 2);
  if (width < 3 || height < 3) return 0;
  let sum = 0;
  let squares = 0;
  const below = width * channels;
  const green = channels >= 3 ? 1 : 0;
  for (let y = 1; y < height - 1; y++) {
    const row = y * below + green;
    for (let at = row + channels; at < row + below - channels; at += channels) {
      const laplacian =
        (values[at - channels] as number) +
        (values[at + channels] as number) +
        (values[at - below] as number) +
        (values[at + below] as number) -
        4 * (values[at] as number);
      sum += laplacian;
      squares += laplacian * laplacian;
    }
  }
  return squares / count - (sum / count) ** 2;
}
