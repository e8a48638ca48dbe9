import sharp from "sharp";
import { FOCAL_LENGTH_MM } from "./focus.js";
import type { RawPhoto } from "./renderer.js";
import type { CameraSettings } from "@openscan/protocol";

const MODEL = "OpenScan digital twin";
/** Width of the film that EXIF compares focal lengths with, in mm. */
const FILM_WIDTH = 36;

/** EXIF lets viewers turn the picture upright; the pixels stay as the sensor read them. */
export async function encodeJpeg(
  { pixels, width, height, intrinsics }: RawPhoto,
  settings: Pick<CameraSettings, "jpeg_quality" | "orientation_flag">,
): Promise<Uint8Array<ArrayBuffer>> {
  const orientation = settings.orientation_flag ?? 1;
  const onFilm = Math.round((intrinsics.f * FILM_WIDTH) / Math.max(width, height));
  const encoded = await sharp(pixels, { raw: { width, height, channels: 3 } })
    .jpeg({ quality: Math.max(1, settings.jpeg_quality ?? 90) })
    .withExif({
      IFD0: { Make: "OpenScan", Model: MODEL, Software: MODEL },
      IFD2: { FocalLength: `${Math.round(FOCAL_LENGTH_MM * 100)}/100`, FocalLengthIn35mmFilm: `${onFilm}` },
    })
    // The settings allow 9, which EXIF does not know.
    .withMetadata(orientation <= 8 ? { orientation } : {})
    .toBuffer();
  // Small buffers come from Node's shared pool, whose memory cannot be handed to another thread.
  return new Uint8Array(encoded);
}
