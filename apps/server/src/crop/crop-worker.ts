import { serveTask } from "@openscan/tasks/worker";
import sharp from "sharp";
import { upright } from "../tasks/thumbnail.js";
import { type Box, cropAround, findObject } from "./find-object.js";

export interface CropJob {
  /** An uncropped photo. */
  readonly jpeg: Uint8Array;
  /** EXIF orientation of its pixels. */
  readonly orientation: number | null;
  readonly threshold: number;
}

export interface CropFound {
  /** The photo, upright and smaller, with the object and the crop marked. */
  readonly jpeg: Uint8Array;
  readonly width: number;
  readonly height: number;
  readonly box: Box;
  /** Percent to be cut off, both sides together. */
  readonly horizontal: number;
  readonly vertical: number;
}

/** Of the photo's edges; as edges are found best where an object has some hundred pixels. */
const SCALE = 0.3;
const LEAST_EDGE = 480;

serveTask(async ({ jpeg, orientation, threshold }: CropJob): Promise<CropFound> => {
  const { width: fullWidth, height: fullHeight } = await sharp(jpeg).metadata();
  const longer = Math.max(fullWidth, fullHeight);
  const edge = Math.round(Math.max(SCALE * longer, Math.min(longer, LEAST_EDGE)));
  const picture = await upright(sharp(jpeg), orientation)
    .resize(edge, edge, { fit: "inside" })
    .removeAlpha()
    .toColorspace("srgb")
    .png({ compressionLevel: 0 })
    .toBuffer();
  const { data: grey, info } = await sharp(picture)
    .greyscale()
    .convolve({ width: 3, height: 3, kernel: [1, 1, 1, 1, 1, 1, 1, 1, 1] })
    .raw()
    .toBuffer({ resolveWithObject: true });
  const { width, height } = info;
  const box = findObject({ width, height, grey }, threshold);
  const crop = cropAround(box, { width, height });
  const marked = await sharp(picture)
    .composite([{ input: Buffer.from(marks(width, height, box, crop)) }])
    .jpeg({ quality: 85 })
    .toBuffer();
  return { jpeg: marked, width, height, box, ...crop };
});

/** The object in green, what remains of the picture in white. */
function marks(
  width: number,
  height: number,
  box: Box,
  { horizontal, vertical }: Pick<CropFound, "horizontal" | "vertical">,
): string {
  const rectangle = ({ x, y, width: w, height: h }: Box, style: string) =>
    `<rect x="${x + 0.5}" y="${y + 0.5}" width="${w - 1}" height="${h - 1}" fill="none" stroke-width="2" ${style}/>`;
  const [left, top] = [(width * horizontal) / 200, (height * vertical) / 200];
  const kept = { x: left, y: top, width: width - 2 * left, height: height - 2 * top };
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">${rectangle(
    kept,
    'stroke="white" stroke-dasharray="8 6"',
  )}${rectangle(box, 'stroke="lime"')}</svg>`;
}
