import type { Intrinsics } from "@openscan/protocol";
import { z } from "zod";

/** What drivers that know their lens say of a shot, in pixels of the photo as it is stored. */
const KnownLens = z.object({
  FocalLengthPixels: z.number().positive(),
  PrincipalPoint: z.tuple([z.number(), z.number()]).optional(),
  ImageSize: z.tuple([z.int().positive(), z.int().positive()]),
});

/** Width of the film that focal lengths are compared with, in mm. */
const FILM_WIDTH = 36;
/** What COLMAP begins with when it knows nothing. */
const USUAL_FOCAL_BY_WIDTH = 1.2;

/** From a photo's own metadata; `undefined` when its camera did not know them. */
export function knownIntrinsics(rawMetadata: Record<string, unknown>): Intrinsics | undefined {
  const { data } = KnownLens.safeParse(rawMetadata);
  if (!data) return undefined;
  const { FocalLengthPixels: f, ImageSize: size } = data;
  const [width, height] = size;
  const [cx, cy] = data.PrincipalPoint ?? [width / 2, height / 2];
  return { width, height, fx: f, fy: f, cx, cy, source: "camera" };
}

/** From what the photo's file itself says. */
export async function readIntrinsics(photo: string): Promise<Intrinsics | undefined> {
  const { default: sharp } = await import("sharp");
  try {
    const { width, height, exif } = await sharp(photo).metadata();
    const longer = Math.max(width, height);
    const onFilm = exif && (await focalLengthOnFilm(exif));
    const f = onFilm ? (onFilm * longer) / FILM_WIDTH : USUAL_FOCAL_BY_WIDTH * longer;
    const source = onFilm ? "exif" : "guess";
    return { width, height, fx: f, fy: f, cx: width / 2, cy: height / 2, source };
  } catch {
    // Not every photo is an image that can be looked into: arrays and raw data tell nothing.
    return undefined;
  }
}

async function focalLengthOnFilm(exif: Buffer): Promise<number | undefined> {
  const { default: readExif } = await import("exif-reader");
  const onFilm = readExif(exif).Photo?.FocalLengthIn35mmFilm;
  return onFilm !== undefined && onFilm > 0 ? onFilm : undefined;
}
