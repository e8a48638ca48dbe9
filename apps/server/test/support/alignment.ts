import { apply, fromQuaternion, type Matrix, type Quaternion, type Vector } from "./matrix.js";

/** x becomes scale * rotation * x + translation. */
export interface Similarity {
  readonly scale: number;
  readonly rotation: Matrix;
  readonly translation: Vector;
}

export function transform({ scale, rotation, translation }: Similarity, point: Vector): Vector {
  const [x, y, z] = apply(rotation, point);
  return [scale * x + translation[0], scale * y + translation[1], scale * z + translation[2]];
}

/**
 * The similarity that brings `from` closest to `to` in the least squares of their distances: Horn,
 * "Closed-form solution of absolute orientation using unit quaternions", 1987. A mirrored set stays mirrored.
 */
export function align(from: readonly Vector[], to: readonly Vector[]): Similarity {
  const middleFrom = mean(from);
  const middleTo = mean(to);
  const a = from.map((point) => minus(point, middleFrom));
  const b = to.map((point) => minus(point, middleTo));
  const rotation = fromQuaternion(bestRotation(a, b));
  // Of the two ways to weigh the scale, the one that treats both sets alike.
  const scale = Math.sqrt(spread(b) / spread(a));
  const [x, y, z] = apply(rotation, middleFrom);
  const translation: Vector = [middleTo[0] - scale * x, middleTo[1] - scale * y, middleTo[2] - scale * z];
  return { scale, rotation, translation };
}

function bestRotation(a: readonly Vector[], b: readonly Vector[]): Quaternion {
  const sum = (i: 0 | 1 | 2, j: 0 | 1 | 2) =>
    a.reduce((total, point, index) => total + point[i] * (b[index] as Vector)[j], 0);
  const [xx, xy, xz] = [sum(0, 0), sum(0, 1), sum(0, 2)];
  const [yx, yy, yz] = [sum(1, 0), sum(1, 1), sum(1, 2)];
  const [zx, zy, zz] = [sum(2, 0), sum(2, 1), sum(2, 2)];
  return principalVector([
    [xx + yy + zz, yz - zy, zx - xz, xy - yx],
    [yz - zy, xx - yy - zz, xy + yx, zx + xz],
    [zx - xz, xy + yx, yy - xx - zz, yz + zy],
    [xy - yx, zx + xz, yz + zy, zz - xx - yy],
  ]);
}

/** Eigenvector of the largest eigenvalue of a symmetric 4x4 matrix, by Jacobi rotations. */
function principalVector(symmetric: number[][]): Quaternion {
  const m = symmetric.map((row) => [...row]);
  const vectors = m.map((_, i) => m.map((_, j) => (i === j ? 1 : 0)));
  const at = (rows: number[][], i: number, j: number) => rows[i]?.[j] ?? 0;
  const turn = (rows: number[][], i: number, p: number, q: number, c: number, s: number) => {
    const row = rows[i] as number[];
    [row[p], row[q]] = [c * at(rows, i, p) - s * at(rows, i, q), s * at(rows, i, p) + c * at(rows, i, q)];
  };
  for (let sweep = 0; sweep < 32; sweep++) {
    for (let p = 0; p < 3; p++) {
      for (let q = p + 1; q < 4; q++) {
        if (at(m, p, q) === 0) continue;
        const angle = 0.5 * Math.atan2(2 * at(m, p, q), at(m, q, q) - at(m, p, p));
        const [c, s] = [Math.cos(angle), Math.sin(angle)];
        for (let i = 0; i < 4; i++) turn(m, i, p, q, c, s);
        for (let i = 0; i < 4; i++) {
          const [upper, lower] = [at(m, p, i), at(m, q, i)];
          (m[p] as number[])[i] = c * upper - s * lower;
          (m[q] as number[])[i] = s * upper + c * lower;
        }
        for (let i = 0; i < 4; i++) turn(vectors, i, p, q, c, s);
      }
    }
  }
  const values = [0, 1, 2, 3].map((i) => at(m, i, i));
  const largest = values.indexOf(Math.max(...values));
  return [0, 1, 2, 3].map((i) => at(vectors, i, largest)) as unknown as Quaternion;
}

function mean(points: readonly Vector[]): Vector {
  const total = points.reduce<Vector>((sum, [x, y, z]) => [sum[0] + x, sum[1] + y, sum[2] + z], [0, 0, 0]);
  return [total[0] / points.length, total[1] / points.length, total[2] / points.length];
}

function minus(a: Vector, b: Vector): Vector {
  return [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
}

function spread(points: readonly Vector[]): number {
  return points.reduce((sum, [x, y, z]) => sum + x * x + y * y + z * z, 0);
}
