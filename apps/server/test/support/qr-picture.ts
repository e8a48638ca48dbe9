import QRCode from "qrcode";
import sharp from "sharp";

export interface QrPicture {
  readonly text: string;
  /** Edge of the code in pixels, its quiet zone included. */
  readonly size?: number;
  readonly frame?: readonly [width: number, height: number];
  readonly degrees?: number;
  readonly mirrored?: boolean;
  readonly inverted?: boolean;
  /** Sigma of a Gaussian blur in pixels. */
  readonly blur?: number;
  /** Standard deviation of the noise in grey levels. */
  readonly noise?: number;
  /** Part of the full range of grey levels that is left between black and white. */
  readonly contrast?: number;
  readonly shear?: number;
}

/** For tests: a JPEG as a camera would show a QR code that somebody holds in front of it. */
export async function qrPicture({
  text,
  size = 240,
  frame: [width, height] = [640, 480],
  degrees = 0,
  mirrored = false,
  inverted = false,
  blur = 0,
  noise = 0,
  contrast = 1,
  shear = 0,
}: QrPicture): Promise<Uint8Array> {
  const code = await QRCode.toBuffer(text, { width: size, margin: 4 });
  const turned = await sharp(code)
    .flop(mirrored)
    .affine([1, shear, shear / 2, 1], { background: "white", interpolator: "bicubic" })
    .rotate(degrees, { background: "white" })
    .png()
    .toBuffer();
  const scene = await sharp({ create: { width, height, channels: 3, background: "#8a7a60" } })
    .composite([{ input: turned }])
    .negate(inverted)
    .png()
    .toBuffer();
  const low = 128 * (1 - contrast);
  let picture = sharp(scene).linear(contrast, low);
  if (blur > 0) picture = picture.blur(blur);
  const { data, info } = await picture.removeAlpha().raw().toBuffer({ resolveWithObject: true });
  const random = generator();
  if (noise > 0) {
    for (let at = 0; at < data.length; at += info.channels) {
      const change = noise * (random() + random() + random() + random() - 2) * Math.sqrt(3);
      for (let channel = 0; channel < info.channels; channel++)
        data[at + channel] = Math.min(255, Math.max(0, (data[at + channel] ?? 0) + change));
    }
  }
  return sharp(data, { raw: { width: info.width, height: info.height, channels: 3 } })
    .jpeg({ quality: 75 })
    .toBuffer();
}

/** The same numbers in every run (mulberry32). */
function generator(): () => number {
  let state = 7;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
