import type { GreyImage, Plane } from "./plane.js";

/** Distances in pixels over which contrast counts. The wide ones tell more where there is noise and no fine detail. */
const STEPS = [1, 2, 4] as const;

/**
 * How sharp a picture is where: the mean square of Laplacians in each cell of `cell` by `cell` pixels. Cells at the
 * right and below may be smaller.
 */
export function focusEnergy({ width, height, pixels }: GreyImage, cell: number): Plane {
  const across = Math.ceil(width / cell);
  const down = Math.ceil(height / cell);
  const values = new Float32Array(across * down);
  for (let y = 0; y < height; y++) {
    const cellRow = Math.floor(y / cell) * across;
    for (const step of STEPS) {
      const above = Math.max(0, y - step) * width;
      const below = Math.min(height - 1, y + step) * width;
      const row = y * width;
      for (let x = 0; x < width; x++) {
        const left = pixels[row + (x < step ? 0 : x - step)] as number;
        const right = pixels[row + (x + step < width ? x + step : width - 1)] as number;
        const laplacian =
          4 * (pixels[row + x] as number) -
          left -
          right -
          (pixels[above + x] as number) -
          (pixels[below + x] as number);
        const index = cellRow + ((x / cell) | 0);
        values[index] = (values[index] as number) + laplacian * laplacian;
      }
    }
  }
  for (let y = 0; y < down; y++) {
    const rows = Math.min(cell, height - y * cell);
    for (let x = 0; x < across; x++) {
      const index = y * across + x;
      values[index] = (values[index] as number) / (rows * Math.min(cell, width - x * cell));
    }
  }
  return { width: across, height: down, values };
}
