import type { CameraSettings } from "@openscan/protocol";
import { cameraPose, twinFrame } from "./camera-model.js";
import { renderGeometry, type Scene } from "./geometry.js";
import { createScene, lensRadius } from "./renderer.js";
import type { TwinView } from "./view.js";

export interface DepthView extends Pick<TwinView, "theta" | "fi" | "radiusMm" | "width" | "height"> {
  readonly settings?: Partial<Pick<CameraSettings, "crop_width" | "crop_height">>;
}

/** Built on first use: a constant that takes a third of a second to compute. */
let scene: Scene | undefined;

/**
 * Depth of every pixel of the picture `twinFrame(width, height, settings)`, row by row: mm along the optical
 * axis to the surface seen at the pixel's middle, Infinity for background. With the nominal focal length,
 * whatever the focus. Blocks the calling thread (640x480: some 200 ms); for tests and pose export.
 */
export function renderDepth({ theta, fi, radiusMm, width, height, settings }: DepthView): Float32Array {
  scene ??= createScene();
  const frame = twinFrame(width, height, settings);
  const part = renderGeometry(scene, frame, cameraPose(theta, fi, lensRadius(radiusMm)));
  const depth = new Float32Array(frame.width * frame.height).fill(Number.POSITIVE_INFINITY);
  for (let row = 0; row < part.height; row++) {
    const line = part.depth.subarray(row * part.width, (row + 1) * part.width);
    depth.set(line, (part.y + row) * frame.width + part.x);
  }
  return depth;
}
