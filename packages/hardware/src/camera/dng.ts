import { type ShotFacts, shotTags } from "./exif.js";
import { ascii, encodeTiff, long, rational, short, type TiffValue } from "./tiff.js";

/** What a sensor with a Bayer mosaic (red in the top left corner) saw, before any colour was made of it. */
export interface SensorImage {
  readonly width: number;
  readonly height: number;
  /** One value for each pixel, row by row, 16 bits. */
  readonly mosaic: Uint16Array;
  /** Value of darkness. */
  readonly black: number;
  /** Value from which a pixel is saturated. */
  readonly white: number;
  /** What a neutral grey looks like to this sensor, green being 1. */
  readonly neutral: readonly [red: number, green: number, blue: number];
  /** From XYZ under daylight (D65) to the sensor's colours, row by row. */
  readonly colorMatrix: readonly number[];
}

const CFA = 32_803;
const D65 = 21;

/** An uncompressed DNG 1.4 file, which raw converters read. */
export function encodeDng(
  image: SensorImage,
  facts: ShotFacts,
  orientation: number,
): Uint8Array<ArrayBuffer> {
  const { width, height, mosaic, black, white, neutral, colorMatrix } = image;
  const bytes = littleEndian(mosaic);
  const fields = shotTags(facts, orientation);
  const add = (tag: number, value: TiffValue) => void fields.set(tag, value);
  add(0x00fe, long(0)); // NewSubfileType: the whole picture
  add(0x0100, long(width));
  add(0x0101, long(height));
  add(0x0102, short(16)); // BitsPerSample
  add(0x0103, short(1)); // Compression: none
  add(0x0106, short(CFA)); // PhotometricInterpretation
  add(0x0111, { type: "data", bytes }); // StripOffsets
  add(0x0115, short(1)); // SamplesPerPixel
  add(0x0116, long(height)); // RowsPerStrip
  add(0x0117, long(bytes.length)); // StripByteCounts
  add(0x011c, short(1)); // PlanarConfiguration
  add(0x828d, short(2, 2)); // CFARepeatPatternDim
  add(0x828e, { type: "byte", values: [0, 1, 1, 2] }); // CFAPattern: red green, green blue
  add(0xc612, { type: "byte", values: [1, 4, 0, 0] }); // DNGVersion
  add(0xc613, { type: "byte", values: [1, 1, 0, 0] }); // DNGBackwardVersion
  add(0xc614, ascii(facts.model ?? "OpenScan")); // UniqueCameraModel
  add(0xc616, { type: "byte", values: [0, 1, 2] }); // CFAPlaneColor
  add(0xc617, short(1)); // CFALayout: rectangular
  add(0xc61a, short(black)); // BlackLevel
  add(0xc61d, short(white)); // WhiteLevel
  add(0xc621, { type: "srational", values: colorMatrix }); // ColorMatrix1
  add(0xc628, rational(...neutral)); // AsShotNeutral
  add(0xc65a, short(D65)); // CalibrationIlluminant1
  return encodeTiff(fields);
}

function littleEndian(values: Uint16Array): Uint8Array {
  const bytes = new Uint8Array(2 * values.length);
  const view = new DataView(bytes.buffer);
  for (const [index, value] of values.entries()) view.setUint16(2 * index, value, true);
  return bytes;
}
