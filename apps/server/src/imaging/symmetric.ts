/**
 * Inverse of a positive definite matrix, row by row, by Cholesky's decomposition.
 *
 * @returns undefined for one that is not, or hardly
 */
export function invertSymmetric(matrix: Float64Array, size: number): Float64Array | undefined {
  const lower = new Float64Array(size * size);
  for (let i = 0; i < size; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = matrix[size * i + j] as number;
      for (let k = 0; k < j; k++) sum -= (lower[size * i + k] as number) * (lower[size * j + k] as number);
      if (i !== j) lower[size * i + j] = sum / (lower[size * j + j] as number);
      else if (sum > 1e-9 * (matrix[size * i + i] as number)) lower[size * i + i] = Math.sqrt(sum);
      else return undefined;
    }
  }
  const inverted = new Float64Array(size * size);
  for (let column = 0; column < size; column++) {
    const solution = new Float64Array(size);
    for (let i = 0; i < size; i++) {
      let sum = i === column ? 1 : 0;
      for (let k = 0; k < i; k++) sum -= (lower[size * i + k] as number) * (solution[k] as number);
      solution[i] = sum / (lower[size * i + i] as number);
    }
    for (let i = size - 1; i >= 0; i--) {
      let sum = solution[i] as number;
      for (let k = i + 1; k < size; k++) sum -= (lower[size * k + i] as number) * (solution[k] as number);
      solution[i] = sum / (lower[size * i + i] as number);
    }
    for (let i = 0; i < size; i++) inverted[size * i + column] = solution[i] as number;
  }
  return inverted;
}

/** A square matrix, row by row, times a vector. */
export function multiply(matrix: Float64Array, vector: readonly number[]): number[] {
  const { length } = vector;
  return vector.map((_, i) =>
    vector.reduce((sum, value, j) => sum + (matrix[length * i + j] as number) * value, 0),
  );
}
