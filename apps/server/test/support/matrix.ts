export type Vector = readonly [number, number, number];
/** Row by row. */
export type Matrix = readonly [Vector, Vector, Vector];
/** w, x, y, z */
export type Quaternion = readonly [number, number, number, number];

function dot(a: Vector, b: Vector): number {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

export function apply([x, y, z]: Matrix, v: Vector): Vector {
  return [dot(x, v), dot(y, v), dot(z, v)];
}

export function transpose([[a, b, c], [d, e, f], [g, h, i]]: Matrix): Matrix {
  return [
    [a, d, g],
    [b, e, h],
    [c, f, i],
  ];
}

export function multiply([x, y, z]: Matrix, b: Matrix): Matrix {
  const columns = transpose(b);
  return [apply(columns, x), apply(columns, y), apply(columns, z)];
}

export function distance(a: Vector, b: Vector): number {
  return Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
}

/** Angle of the rotation that leads from `a` to `b`, in degrees. */
export function rotationBetween(a: Matrix, b: Matrix): number {
  const [[xx], [, yy], [, , zz]] = multiply(a, transpose(b));
  return (Math.acos(Math.min(1, Math.max(-1, (xx + yy + zz - 1) / 2))) * 180) / Math.PI;
}

export function fromQuaternion([w, x, y, z]: Quaternion): Matrix {
  return [
    [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
    [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
    [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
  ];
}

/** The largest of the four is taken from the diagonal, so that the division is never by nearly nothing. */
export function toQuaternion([[xx, xy, xz], [yx, yy, yz], [zx, zy, zz]]: Matrix): Quaternion {
  const squares = [1 + xx + yy + zz, 1 + xx - yy - zz, 1 - xx + yy - zz, 1 - xx - yy + zz];
  const largest = squares.indexOf(Math.max(...squares));
  const double = Math.sqrt(squares[largest] as number);
  const scale = 0.5 / double;
  const half = double / 2;
  if (largest === 0) return [half, (zy - yz) * scale, (xz - zx) * scale, (yx - xy) * scale];
  if (largest === 1) return [(zy - yz) * scale, half, (xy + yx) * scale, (xz + zx) * scale];
  if (largest === 2) return [(xz - zx) * scale, (xy + yx) * scale, half, (yz + zy) * scale];
  return [(yx - xy) * scale, (xz + zx) * scale, (yz + zy) * scale, half];
}
