import sharp from "sharp";
import type { GreyImage } from "./plane.js";
import type { ColourImage } from "./resample.js";

/** @throws Error when the file is missing or damaged */
export async function readGrey(file: string): Promise<GreyImage> {
  return read(file, "b-w", 1);
}

/** @throws Error when the file is missing or damaged */
export async function readColour(file: string): Promise<ColourImage> {
  return read(file, "srgb", 3);
}

/** Pixels as the sensor read them: the orientation in a photo's EXIF turns nothing. */
async function read(file: string, space: "b-w" | "srgb", channels: number) {
  const { data, info } = await sharp(file)
    .toColourspace(space)
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  if (info.channels !== channels) throw new Error(`${file} has ${info.channels} channels, not ${channels}`);
  const pixels = new Uint8Array(data.buffer, data.byteOffset, data.length);
  return { width: info.width, height: info.height, pixels };
}
