/**
 * Where a point of one picture is in another: x' = a x + b y + c, y' = d x + e y + f. Pixels; the middle of the first
 * one is at 0, 0.
 */
export interface Affine {
  readonly a: number;
  readonly b: number;
  readonly c: number;
  readonly d: number;
  readonly e: number;
  readonly f: number;
}

/** The two rows of the matrix, as files of calibrations hold them. */
export type AffineRows = readonly [readonly [number, number, number], readonly [number, number, number]];

export const identity: Affine = { a: 1, b: 0, c: 0, d: 0, e: 1, f: 0 };

export function isIdentity({ a, b, c, d, e, f }: Affine): boolean {
  return a === 1 && b === 0 && c === 0 && d === 0 && e === 1 && f === 0;
}

/** `second` after `first`. */
export function compose(second: Affine, first: Affine): Affine {
  return {
    a: second.a * first.a + second.b * first.d,
    b: second.a * first.b + second.b * first.e,
    c: second.a * first.c + second.b * first.f + second.c,
    d: second.d * first.a + second.e * first.d,
    e: second.d * first.b + second.e * first.e,
    f: second.d * first.c + second.e * first.f + second.f,
  };
}

export function inverse({ a, b, c, d, e, f }: Affine): Affine {
  const determinant = a * e - b * d;
  return {
    a: e / determinant,
    b: -b / determinant,
    c: (b * f - c * e) / determinant,
    d: -d / determinant,
    e: a / determinant,
    f: (c * d - a * f) / determinant,
  };
}

export function apply({ a, b, c, d, e, f }: Affine, x: number, y: number): readonly [number, number] {
  return [a * x + b * y + c, d * x + e * y + f];
}

/**
 * The same transform between pictures that are `factor` times as large. A pixel of a reduced picture is the mean of a
 * block of pixels, so its middle is that of the block.
 */
export function enlarged({ a, b, c, d, e, f }: Affine, factor: number): Affine {
  const middle = (factor - 1) / 2;
  return {
    a,
    b,
    c: factor * c + middle * (1 - a - b),
    d,
    e,
    f: factor * f + middle * (1 - d - e),
  };
}

/** The mean of several transforms; the identity of none. */
export function mean(transforms: readonly Affine[]): Affine {
  const { length } = transforms;
  if (length === 0) return identity;
  const of = (member: keyof Affine) => transforms.reduce((sum, one) => sum + one[member], 0) / length;
  return { a: of("a"), b: of("b"), c: of("c"), d: of("d"), e: of("e"), f: of("f") };
}

/** How far apart two transforms bring a corner of a picture of this size, in pixels: no other point is worse. */
export function distance(one: Affine, other: Affine, width: number, height: number): number {
  let farthest = 0;
  for (const x of [0, width - 1]) {
    for (const y of [0, height - 1]) {
      const [x1, y1] = apply(one, x, y);
      const [x2, y2] = apply(other, x, y);
      farthest = Math.max(farthest, Math.hypot(x1 - x2, y1 - y2));
    }
  }
  return farthest;
}

export function toRows({ a, b, c, d, e, f }: Affine): AffineRows {
  return [
    [a, b, c],
    [d, e, f],
  ];
}

export function fromRows([[a, b, c], [d, e, f]]: AffineRows): Affine {
  return { a, b, c, d, e, f };
}
