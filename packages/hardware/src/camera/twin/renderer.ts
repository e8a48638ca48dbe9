import type { SensorImage } from "../dng.js";
import { cameraPose, type Frame, twinFrame } from "./camera-model.js";
import { DistanceGrid } from "./distance-grid.js";
import { autofocus, breathing, manualFocus } from "./focus.js";
import { type GeometryBuffer, renderGeometry, type Scene } from "./geometry.js";
import { Recent } from "./recent.js";
import { expose, exposeMosaic } from "./sensor.js";
import { SolidTexture } from "./texture.js";
import type { TwinPhoto, TwinView } from "./view.js";

/** Nearer than this the lens would touch the object. */
const MIN_RADIUS_MM = 60;
const KEPT_VIEWS = 8;
const KEPT_BYTES = 64 * 2 ** 20;
/** Six 32-bit numbers: three of colour, two of light, depth. */
const BYTES_PER_PIXEL = 24;

/** A photo before it is encoded: red, green, blue, 8 bits each, row by row. */
export interface RawPhoto extends ShotGeometry {
  readonly pixels: Uint8Array;
}

type ShotGeometry = Omit<TwinPhoto, "bytes">;

export function createScene(): Scene {
  return { grid: new DistanceGrid(), texture: new SolidTexture() };
}

/** The camera without its JPEG encoder. Keeps the geometry of recent views, which exposure and light reuse. */
export class Renderer {
  readonly #scene: Scene;
  readonly #recent = new Recent<GeometryBuffer>(KEPT_VIEWS, KEPT_BYTES);

  constructor(scene: Scene) {
    this.#scene = scene;
  }

  /**
   * Autofocus corrects the picture to the nominal scale, as phone cameras do, so that all photos of a scan share
   * one focal length. A focus set by hand has its own scale, nominal at the origin.
   *
   * @throws ScanError `out_of_range` when there is no such picture size
   */
  render(view: TwinView): RawPhoto {
    const { geometry, frame, exposure, shot } = this.#prepare(view);
    return { ...shot, pixels: expose(geometry, frame, exposure) };
  }

  /** The same shot as the sensor itself sees it. */
  renderMosaic(view: TwinView): ShotGeometry & { readonly image: SensorImage } {
    const { geometry, frame, exposure, shot } = this.#prepare(view);
    return { ...shot, image: exposeMosaic(geometry, frame, exposure) };
  }

  #prepare(view: TwinView) {
    const { settings, light, seed } = view;
    const radius = lensRadius(view.radiusMm);
    const origin = 1000 / radius;
    const manual = manualFocus(settings);
    const nominal = twinFrame(view.width, view.height, settings);
    const frame = { ...nominal, f: nominal.f * breathing(manual ?? origin, origin) };
    const geometry = this.#geometry(view, frame, radius);
    const dioptres = manual ?? autofocus(geometry, frame, settings) ?? origin;
    const depthBlur = view.depthBlur ?? true;
    return {
      geometry,
      frame,
      exposure: { light, seed, dioptres, depthBlur, settings },
      shot: {
        width: frame.width,
        height: frame.height,
        focusDioptres: dioptres,
        intrinsics: { f: frame.f, cx: frame.cx, cy: frame.cy },
      },
    };
  }

  #geometry({ theta, fi }: TwinView, frame: Frame, radius: number): GeometryBuffer {
    const key = JSON.stringify([theta, fi, radius, frame]);
    const known = this.#recent.get(key);
    if (known) return known;
    const geometry = renderGeometry(this.#scene, frame, cameraPose(theta, fi, radius));
    this.#recent.set(key, geometry, BYTES_PER_PIXEL * geometry.depth.length);
    return geometry;
  }
}

/** How far from the origin the lens really is when the scanner asks for this radius, in mm. */
export function lensRadius(radiusMm: number): number {
  return Math.max(radiusMm, MIN_RADIUS_MM);
}
