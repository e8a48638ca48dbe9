import type { AffineRows } from "./affine.js";

/** To the stacking worker; it answers each job once, in order. Files are absolute paths in the order of focus. */
export type StackingJob =
  | { readonly kind: "align"; readonly files: readonly string[] }
  | { readonly kind: "stack"; readonly files: readonly string[]; readonly transforms: readonly AffineRows[] };

/** From the stacking worker. The JPEG's memory is handed over, not copied. */
export type StackingReply =
  | { readonly transforms: readonly (AffineRows | null)[] }
  | { readonly jpeg: Uint8Array }
  | { readonly problem: string };
