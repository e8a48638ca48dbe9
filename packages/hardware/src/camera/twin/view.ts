import type { CameraSettings } from "@openscan/protocol";

/** What the simulated camera is asked to see. */
export interface TwinView {
  /** Degrees from the north pole. */
  readonly theta: number;
  /** Azimuth of the camera in the object's frame, degrees: it changes when the table turns. */
  readonly fi: number;
  /** Distance of the lens from the middle of the table; nearer than 60 mm the lens would touch the object and stays there. */
  readonly radiusMm: number;
  /** Ring light, 0 to 1. */
  readonly light: number;
  /** Pixels of the whole sensor, before the crop; previews take theirs from `previewSize(settings)`. */
  readonly width: number;
  readonly height: number;
  readonly settings: CameraSettings;
  /** Of the noise: the same view and seed give the same bytes. Previews have one seed of their own. */
  readonly seed: number;
  /** Whether what is out of focus is blurred; default true. */
  readonly depthBlur?: boolean;
  /** What the sensor saw, as DNG; default: a JPEG. */
  readonly encoding?: "jpeg" | "dng";
}

export interface TwinPhoto {
  /** A JPEG without EXIF, or a DNG with it. */
  readonly bytes: Uint8Array;
  /** Pixels, after the crop. */
  readonly width: number;
  readonly height: number;
  /** Where the lens was focused: set by hand, or found by autofocus. */
  readonly focusDioptres: number;
  /** Of this very picture: after the crop, and with the scale that its focus gives. */
  readonly intrinsics: { readonly f: number; readonly cx: number; readonly cy: number };
}

type Size = readonly [width: number, height: number];

const STILL: Size = [1280, 960];
const PREVIEW: Size = [320, 240];
const PREVIEW_EDGE = 640;

/** Sensor size of a photo: `photo_resolution`, or 1280x960. */
export function stillSize({ photo_resolution }: Pick<CameraSettings, "photo_resolution">): Size {
  return photo_resolution ?? STILL;
}

/** Sensor size of a preview: `preview_resolution` shrunk to 640 pixels at most, or 320x240. */
export function previewSize({ preview_resolution }: Pick<CameraSettings, "preview_resolution">): Size {
  if (!preview_resolution) return PREVIEW;
  const [width, height] = preview_resolution;
  const scale = Math.min(1, PREVIEW_EDGE / Math.max(width, height));
  return [Math.round(width * scale), Math.round(height * scale)];
}
