import sharp, { type Sharp } from "sharp";

/** How to turn the pixels of each EXIF orientation upright: degrees clockwise, after mirroring left and right. */
const turns: Readonly<Record<number, { readonly degrees: number; readonly mirror?: true }>> = {
  2: { degrees: 0, mirror: true },
  3: { degrees: 180 },
  4: { degrees: 180, mirror: true },
  5: { degrees: 270, mirror: true },
  6: { degrees: 90 },
  7: { degrees: 90, mirror: true },
  8: { degrees: 270 },
};

/**
 * An upright JPEG of at most 512 x 512 pixels.
 *
 * @param orientation EXIF orientation of the pixels, which the image itself does not carry
 * @throws Error when the bytes are no image
 */
export async function makeThumbnail(jpeg: Uint8Array, orientation: number | null): Promise<Uint8Array> {
  return upright(sharp(jpeg), orientation)
    .resize(512, 512, { fit: "inside", withoutEnlargement: true })
    .jpeg({ quality: 85 })
    .toBuffer();
}

/** Turns a picture by the EXIF orientation that its pixels have, whatever the file says. */
export function upright(picture: Sharp, orientation: number | null): Sharp {
  const { degrees, mirror = false } = turns[orientation ?? 1] ?? { degrees: 0 };
  return picture.flop(mirror).rotate(degrees);
}
