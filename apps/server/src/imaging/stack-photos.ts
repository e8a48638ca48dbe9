import { readFile } from "node:fs/promises";
import sharp from "sharp";
import { type Affine, identity } from "./affine.js";
import { align, type Pyramid, pyramid } from "./align.js";
import { Blend } from "./blend.js";
import { withExifOf } from "./exif.js";
import { FocusChoice } from "./focus-choice.js";
import { readColour, readGrey } from "./read-photo.js";
import { referenceOf } from "./reference.js";

const QUALITY = 90;

/**
 * Where points of the reference are in each photo of a stack, in the order of the focus positions; undefined for photos
 * that do not tell.
 *
 * @throws Error when a photo is missing or damaged, or of another size
 */
export async function alignPhotos(files: readonly string[]): Promise<(Affine | undefined)[]> {
  const middle = referenceOf(files.length);
  const load = async (file: string): Promise<Pyramid & { size: string }> => {
    const photo = await readGrey(file);
    return { ...pyramid(photo), size: `${photo.width}x${photo.height}` };
  };
  const reference = await load(files[middle] as string);
  const found: (Affine | undefined)[] = files.map((_, index) => (index === middle ? identity : undefined));
  for (const direction of [-1, 1]) {
    // The next photo differs from the reference much as the last one did, and some more.
    let start = identity;
    for (let index = middle + direction; index >= 0 && index < files.length; index += direction) {
      const file = files[index] as string;
      const photo = await load(file);
      requireSize(file, photo.size, reference.size);
      const transform = align(reference, photo, start);
      found[index] = transform;
      start = transform ?? start;
    }
  }
  return found;
}

/**
 * One picture that is everywhere as sharp as the sharpest of the photos, with the EXIF of the reference: a JPEG. Reads
 * one photo at a time, so its memory does not grow with their number.
 *
 * @param transforms where points of the reference are in each photo
 * @throws Error when a photo is missing or damaged, or of another size
 */
export async function stackPhotos(
  files: readonly string[],
  transforms: readonly Affine[],
): Promise<Uint8Array<ArrayBuffer>> {
  const middle = referenceOf(files.length);
  const file = files[middle] as string;
  const reference = await readGrey(file);
  const { width, height } = reference;
  const choice = new FocusChoice(reference, middle);
  for (const [index, other] of files.entries()) {
    if (index === middle) continue;
    const photo = await readGrey(other);
    requireSize(other, `${photo.width}x${photo.height}`, `${width}x${height}`);
    choice.add(index, photo, transforms[index] as Affine);
  }
  const blend = new Blend(width, height, choice.cell);
  for (const [index, photo] of files.entries()) {
    const weights = choice.weights(index);
    if (weights.values.every((weight) => weight === 0)) continue;
    blend.add(await readColour(photo), transforms[index] as Affine, weights);
  }
  const { pixels } = blend.image;
  const jpeg = await sharp(pixels, { raw: { width, height, channels: 3 } })
    // Optimising would keep all coefficients in memory, twice the pixels, to save a tenth of the file.
    .jpeg({ quality: QUALITY, optimiseCoding: false })
    .toBuffer();
  return withExifOf(jpeg, await readFile(file));
}

function requireSize(file: string, size: string, expected: string): void {
  if (size !== expected) throw new Error(`${file} has ${size} pixels, others of its stack ${expected}`);
}
