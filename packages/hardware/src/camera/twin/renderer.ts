import { cameraPose, type Frame, twinFrame } from "./camera-model.js";
import { DistanceGrid } from "./distance-grid.js";
import { focusFor } from "./focus.js";
import { type GeometryBuffer, renderGeometry, type Scene } from "./geometry.js";
import { Recent } from "./recent.js";
import { expose } from "./sensor.js";
import { SolidTexture } from "./texture.js";
import type { TwinPhoto, TwinView } from "./view.js";

/** Nearer than this the lens would touch the object. */
const MIN_RADIUS_MM = 60;
const KEPT_VIEWS = 8;
const KEPT_BYTES = 64 * 2 ** 20;

/** A photo before it is encoded: red, green, blue, 8 bits each, row by row. */
export interface RawPhoto extends Omit<TwinPhoto, "jpeg"> {
  readonly pixels: Uint8Array;
}

export function createScene(): Scene {
  return { grid: new DistanceGrid(), texture: new SolidTexture() };
}

/** The camera without its JPEG encoder. Keeps the geometry of recent views: exposure and focus reuse it. */
export class Renderer {
  readonly #scene: Scene;
  readonly #recent = new Recent<GeometryBuffer>(KEPT_VIEWS, KEPT_BYTES);

  constructor(scene: Scene) {
    this.#scene = scene;
  }

  /** @throws ScanError `out_of_range` when there is no such picture size */
  render(view: TwinView): RawPhoto {
    const { settings } = view;
    const frame = twinFrame(view.width, view.height, settings);
    const radius = lensRadius(view.radiusMm);
    const geometry = this.#geometry(view, frame, radius);
    const focus = focusFor(geometry, frame, settings, radius);
    const exposure = {
      light: view.light,
      seed: view.seed,
      focus,
      depthBlur: view.depthBlur ?? true,
      settings,
    };
    return {
      pixels: expose(geometry, frame, exposure),
      width: frame.width,
      height: frame.height,
      focusDioptres: focus.dioptres,
      intrinsics: { f: frame.f * focus.breathing, cx: frame.cx, cy: frame.cy },
    };
  }

  #geometry({ theta, fi }: TwinView, frame: Frame, radius: number): GeometryBuffer {
    const key = [theta, fi, radius, frame.width, frame.height, frame.left, frame.top].join();
    const known = this.#recent.get(key);
    if (known) return known;
    const geometry = renderGeometry(this.#scene, frame, cameraPose(theta, fi, radius));
    this.#recent.set(key, geometry, 4 * 6 * geometry.depth.length);
    return geometry;
  }
}

/** How far from the origin the lens really is when the scanner asks for this radius, in mm. */
export function lensRadius(radiusMm: number): number {
  return Math.max(radiusMm, MIN_RADIUS_MM);
}
