import type { CameraSettings } from "@openscan/protocol";
import type { Plane } from "./box-blur.js";
import type { Frame } from "./camera-model.js";
import { blurByDepth } from "./depth-blur.js";
import type { Focus } from "./focus.js";
import type { GeometryBuffer } from "./geometry.js";
import { Random } from "./random.js";

/** Part of the ring light's full power that the room adds. */
const AMBIENT = 0.02;
/** Makes the object's middle tone come out right at 50 ms, gain 1 and full light. */
const EXPOSURE = 1.5;
const DEFAULT_SHUTTER_MS = 50;
const DEFAULT_WHITE_BALANCE = 1.8;
/** Light lost in the corners. */
const VIGNETTE = 0.25;
/** Standard deviations at gain 1: of the darkness, and of full brightness due to the count of photons. */
const READ_NOISE = 0.0006;
const SHOT_NOISE = 0.008;

export interface Exposure {
  /** Ring light, 0 to 1. */
  readonly light: number;
  readonly seed: number;
  readonly focus: Focus;
  readonly depthBlur: boolean;
  readonly settings: CameraSettings;
}

/**
 * The picture that the sensor makes of the geometry.
 *
 * @returns red, green, blue, 8 bits each, row by row over the frame
 */
export function expose(geometry: GeometryBuffer, frame: Frame, exposure: Exposure): Uint8Array {
  const lit = illuminate(geometry, exposure.light);
  const { focus } = exposure;
  const blurred = exposure.depthBlur ? blurByDepth(lit, geometry.depth, focus.dioptres, frame.f) : lit;
  const scene = new SceneSampler(blurred, geometry, frame, focus.breathing);
  return develop(scene, frame, exposure);
}

/** Light that arrives from each pixel of the geometry's part of the frame; one plane per colour. */
function illuminate({ albedo, ring, ambient, width, height }: GeometryBuffer, light: number): Plane[] {
  return [0, 1, 2].map((colour) => {
    const values = new Float32Array(width * height);
    for (let pixel = 0; pixel < values.length; pixel++) {
      const arriving = light * (ring[pixel] as number) + AMBIENT * (ambient[pixel] as number);
      values[pixel] = (albedo[3 * pixel + colour] as number) * arriving;
    }
    return { width, height, values };
  });
}

/** Reads the planes at pixels of the frame, scaled around the optical axis. Outside them all is black. */
class SceneSampler {
  readonly #planes: readonly Plane[];
  readonly #geometry: GeometryBuffer;
  readonly #frame: Frame;
  readonly #scale: number;

  constructor(planes: readonly Plane[], geometry: GeometryBuffer, frame: Frame, scale: number) {
    this.#planes = planes;
    this.#geometry = geometry;
    this.#frame = frame;
    this.#scale = scale;
  }

  /** Writes the light of a pixel to `out`; false, and nothing written, where nothing can be. */
  read(x: number, y: number, out: Float64Array): boolean {
    const { cx, cy } = this.#frame;
    const { x: left, y: top, width, height } = this.#geometry;
    const sourceX = (x + 0.5 - cx) / this.#scale + cx - 0.5 - left;
    const sourceY = (y + 0.5 - cy) / this.#scale + cy - 0.5 - top;
    const ix = Math.floor(sourceX);
    const iy = Math.floor(sourceY);
    if (ix < 0 || iy < 0 || ix >= width || iy >= height) return false;

    const partX = ix + 1 < width ? sourceX - ix : 0;
    const partY = iy + 1 < height ? sourceY - iy : 0;
    const pixel = iy * width + ix;
    for (let colour = 0; colour < 3; colour++) {
      const { values } = this.#planes[colour] as Plane;
      const here = values[pixel] as number;
      if (partX === 0 && partY === 0) {
        out[colour] = here;
        continue;
      }
      const right = partX === 0 ? here : (values[pixel + 1] as number);
      const below = partY === 0 ? here : (values[pixel + width] as number);
      const corner = partX === 0 ? below : partY === 0 ? right : (values[pixel + width + 1] as number);
      const upper = here + (right - here) * partX;
      const lower = below + (corner - below) * partX;
      out[colour] = upper + (lower - upper) * partY;
    }
    return true;
  }
}

function develop(scene: SceneSampler, frame: Frame, { settings, seed }: Exposure): Uint8Array {
  const gain = settings.gain ?? 1;
  const brightness = (EXPOSURE * gain * (settings.shutter ?? DEFAULT_SHUTTER_MS)) / DEFAULT_SHUTTER_MS;
  const red = brightness * ((settings.awbg_red ?? DEFAULT_WHITE_BALANCE) / DEFAULT_WHITE_BALANCE);
  const blue = brightness * ((settings.awbg_blue ?? DEFAULT_WHITE_BALANCE) / DEFAULT_WHITE_BALANCE);
  const saturation = settings.saturation ?? 1;
  const tone = toneCurve(settings.contrast ?? 1);
  const noise = new SensorNoise(seed, gain);
  const corner = (frame.width / 2 + frame.left) ** 2 + (frame.height / 2 + frame.top) ** 2;

  const pixels = new Uint8Array(3 * frame.width * frame.height);
  const light = new Float64Array(3);
  let offset = 0;
  for (let y = 0; y < frame.height; y++) {
    for (let x = 0; x < frame.width; x++, offset += 3) {
      let [r, g, b] = [0, 0, 0];
      if (scene.read(x, y, light)) {
        const aside = ((x + 0.5 - frame.cx) ** 2 + (y + 0.5 - frame.cy) ** 2) / corner;
        const shade = 1 - VIGNETTE * aside;
        r = red * shade * (light[0] as number);
        g = brightness * shade * (light[1] as number);
        b = blue * shade * (light[2] as number);
      }
      r = noise.add(r);
      g = noise.add(g);
      b = noise.add(b);
      if (saturation !== 1) {
        const grey = 0.2126 * r + 0.7152 * g + 0.0722 * b;
        r = grey + (r - grey) * saturation;
        g = grey + (g - grey) * saturation;
        b = grey + (b - grey) * saturation;
      }
      pixels[offset] = tone(r);
      pixels[offset + 1] = tone(g);
      pixels[offset + 2] = tone(b);
    }
  }
  return pixels;
}

const NORMALS = 8192;

/** Adds noise that grows with the signal and the gain. */
class SensorNoise {
  readonly #random: Random;
  readonly #normals: Float32Array;
  readonly #read: number;
  readonly #shot: number;

  constructor(seed: number, gain: number) {
    this.#random = new Random(seed);
    const shapes = new Random(1);
    this.#normals = Float32Array.from({ length: NORMALS }, () => shapes.normal());
    this.#read = (READ_NOISE * Math.max(gain, 0.1)) ** 2;
    this.#shot = SHOT_NOISE ** 2 * Math.max(gain, 0.1);
  }

  add(signal: number): number {
    const normal = this.#normals[this.#random.bits() & (NORMALS - 1)] as number;
    return signal + Math.sqrt(this.#read + this.#shot * signal) * normal;
  }
}

/** Linear light to an sRGB byte (IEC 61966-2-1), then contrast around the middle tone. */
function toneCurve(contrast: number): (linear: number) => number {
  const steps = 8191;
  const table = Uint8Array.from({ length: steps + 1 }, (_, index) => {
    const linear = index / steps;
    const encoded = linear <= 0.0031308 ? 12.92 * linear : 1.055 * linear ** (1 / 2.4) - 0.055;
    return Math.round(255 * Math.min(1, Math.max(0, 0.5 + (encoded - 0.5) * contrast)));
  });
  return (linear) => table[linear <= 0 ? 0 : linear >= 1 ? steps : (linear * steps + 0.5) | 0] as number;
}
