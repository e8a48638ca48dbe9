import type { CameraSettings } from "@openscan/protocol";
import type { Frame } from "./camera-model.js";
import type { GeometryBuffer } from "./geometry.js";
import { stillSize } from "./view.js";

/** IMX519-class lens. */
export const FOCAL_LENGTH_MM = 4.28;
const APERTURE_M = 0.00245;
const MANUAL_DIOPTRES = 12;
const SAMPLES = 4000;

/** Where the lens is set by hand, in dioptres; undefined when autofocus decides. */
export function manualFocus({
  AF,
  manual_focus,
}: Pick<CameraSettings, "AF" | "manual_focus">): number | undefined {
  return (AF ?? true) ? undefined : (manual_focus ?? MANUAL_DIOPTRES);
}

/** The middle depth within the autofocus window in dioptres; undefined when nothing is there. */
export function autofocus(
  geometry: GeometryBuffer,
  frame: Frame,
  settings: Pick<CameraSettings, "AF_window" | "photo_resolution">,
): number | undefined {
  const depth = medianDepth(geometry, autofocusWindow(frame, settings));
  return depth === undefined ? undefined : 1000 / depth;
}

/**
 * Picture scale of a focus, 1 for the focus `reference`: a lens moves outwards to focus nearer, and magnifies
 * (thin lens; both in dioptres).
 */
export function breathing(dioptres: number, reference: number): number {
  const metres = FOCAL_LENGTH_MM / 1000;
  return (1 - metres * reference) / (1 - metres * dioptres);
}

/**
 * Diameter in pixels of the disc that a point becomes: the thin lens's circle of confusion, projected.
 *
 * @param depth mm along the optical axis
 */
export function blurDiameter(depth: number, dioptres: number, f: number): number {
  return APERTURE_M * Math.abs(dioptres - 1000 / depth) * f;
}

interface Window {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** The window in pixels of this frame. `AF_window` counts pixels of an uncropped photo; null is the middle third. */
function autofocusWindow(
  frame: Frame,
  settings: Pick<CameraSettings, "AF_window" | "photo_resolution">,
): Window {
  const fullWidth = frame.width + 2 * frame.left;
  const fullHeight = frame.height + 2 * frame.top;
  if (!settings.AF_window) {
    return {
      left: fullWidth / 3 - frame.left,
      top: fullHeight / 3 - frame.top,
      right: (2 * fullWidth) / 3 - frame.left,
      bottom: (2 * fullHeight) / 3 - frame.top,
    };
  }
  const [photoWidth, photoHeight] = stillSize(settings);
  const [x, y, width, height] = settings.AF_window;
  const scaleX = fullWidth / photoWidth;
  const scaleY = fullHeight / photoHeight;
  return {
    left: x * scaleX - frame.left,
    top: y * scaleY - frame.top,
    right: (x + width) * scaleX - frame.left,
    bottom: (y + height) * scaleY - frame.top,
  };
}

function medianDepth(geometry: GeometryBuffer, window: Window): number | undefined {
  const left = Math.max(0, Math.floor(window.left) - geometry.x);
  const right = Math.min(geometry.width, Math.ceil(window.right) - geometry.x);
  const top = Math.max(0, Math.floor(window.top) - geometry.y);
  const bottom = Math.min(geometry.height, Math.ceil(window.bottom) - geometry.y);
  if (left >= right || top >= bottom) return undefined;

  // A few thousand pixels have the same middle as all of them.
  const stride = Math.ceil(Math.sqrt(((right - left) * (bottom - top)) / SAMPLES));
  const depths: number[] = [];
  for (let y = top; y < bottom; y += stride) {
    for (let x = left; x < right; x += stride) {
      const depth = geometry.depth[y * geometry.width + x] as number;
      if (depth < Number.POSITIVE_INFINITY) depths.push(depth);
    }
  }
  return Float64Array.from(depths).sort()[depths.length >> 1];
}
