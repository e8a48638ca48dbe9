/** A picture without colours, row by row, 8 bits each. */
export interface GreyPicture {
  readonly width: number;
  readonly height: number;
  readonly values: Uint8Array;
}

/**
 * How sharp a picture is: the variance of its Laplacian (left + right + above + below - 4 x middle) over all pixels that
 * have four neighbours, in squared grey levels. Edges that are sharp make it large; what is smooth or out of focus,
 * small. Noise counts as sharpness. It compares pictures of one size and one motif.
 */
export function laplacianVariance({ width, height, values }: GreyPicture): number {
  const count = (width - 2) * (height - 2);
  if (width < 3 || height < 3) return 0;
  let sum = 0;
  let squares = 0;
  for (let y = 1; y < height - 1; y++) {
    const row = y * width;
    for (let at = row + 1; at < row + width - 1; at++) {
      const laplacian =
        (values[at - 1] as number) +
        (values[at + 1] as number) +
        (values[at - width] as number) +
        (values[at + width] as number) -
        4 * (values[at] as number);
      sum += laplacian;
      squares += laplacian * laplacian;
    }
  }
  return squares / count - (sum / count) ** 2;
}
