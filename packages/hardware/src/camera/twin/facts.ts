import type { ShotFacts } from "../exif.js";
import { FOCAL_LENGTH_MM } from "./focus.js";
import type { TwinPhoto, TwinView } from "./view.js";

const MODEL = "OpenScan digital twin";
const F_NUMBER = 1.75;
/** ISO speed of gain 1, as the Raspberry Pi's cameras count it. */
const BASE_ISO = 100;
const DEFAULT_SHUTTER_MS = 50;
/** Width of the film that EXIF compares focal lengths with, in mm. */
const FILM_WIDTH = 36;

/** What the simulated camera tells of a shot. */
export function twinFacts({
  settings: { shutter, gain },
  intrinsics: { f },
  width,
  height,
}: Pick<TwinView, "settings"> & Pick<TwinPhoto, "intrinsics" | "width" | "height">): ShotFacts {
  return {
    make: "OpenScan",
    model: MODEL,
    software: MODEL,
    exposureSeconds: (shutter ?? DEFAULT_SHUTTER_MS) / 1000,
    iso: BASE_ISO * (gain ?? 1),
    fNumber: F_NUMBER,
    focalLengthMm: FOCAL_LENGTH_MM,
    focalLength35Mm: (f * FILM_WIDTH) / Math.max(width, height),
  };
}
