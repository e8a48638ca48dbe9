import type { CameraSettings } from "@openscan/protocol";
import sharp from "sharp";
import type { RawPhoto } from "./renderer.js";

/** The pixels stay as the sensor read them. */
export async function encodeJpeg(
  { pixels, width, height }: Pick<RawPhoto, "pixels" | "width" | "height">,
  { jpeg_quality }: Pick<CameraSettings, "jpeg_quality">,
): Promise<Uint8Array<ArrayBuffer>> {
  const encoded = await sharp(pixels, { raw: { width, height, channels: 3 } })
    .jpeg({ quality: Math.max(1, jpeg_quality ?? 90) })
    .toBuffer();
  // Small buffers come from Node's shared pool, whose memory cannot be handed to another thread.
  return new Uint8Array(encoded);
}
