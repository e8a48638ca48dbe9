import type { CameraSettings } from "@openscan/protocol";
import type { Plane } from "./box-blur.js";
import type { Frame } from "./camera-model.js";
import { blurByDepth } from "./depth-blur.js";
import type { GeometryBuffer } from "./geometry.js";
import { SensorNoise } from "./sensor-noise.js";
import { ToneCurve } from "./tone.js";

/** Part of the ring light's full power that the room adds. */
const AMBIENT = 0.02;
/** Makes the object's middle tone come out right at 50 ms, gain 1 and full light. */
const EXPOSURE = 1.5;
const DEFAULT_SHUTTER_MS = 50;
const DEFAULT_WHITE_BALANCE = 1.8;
/** Light lost in the corners. */
const VIGNETTE = 0.25;

export interface Exposure {
  /** Ring light, 0 to 1. */
  readonly light: number;
  readonly seed: number;
  /** Where the lens is focused. */
  readonly dioptres: number;
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
  const { depthBlur, dioptres } = exposure;
  const planes = depthBlur ? blurByDepth(lit, geometry.depth, dioptres, frame.f) : lit;
  return develop(geometry, planes, frame, exposure);
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

function develop(
  part: GeometryBuffer,
  planes: readonly Plane[],
  frame: Frame,
  { settings, seed }: Exposure,
): Uint8Array {
  const gain = settings.gain ?? 1;
  const green = (EXPOSURE * gain * (settings.shutter ?? DEFAULT_SHUTTER_MS)) / DEFAULT_SHUTTER_MS;
  const red = green * ((settings.awbg_red ?? DEFAULT_WHITE_BALANCE) / DEFAULT_WHITE_BALANCE);
  const blue = green * ((settings.awbg_blue ?? DEFAULT_WHITE_BALANCE) / DEFAULT_WHITE_BALANCE);
  const saturation = settings.saturation ?? 1;
  const tone = new ToneCurve(settings.contrast ?? 1);
  const noise = new SensorNoise(seed, gain);
  const fading = VIGNETTE / ((frame.width / 2 + frame.left) ** 2 + (frame.height / 2 + frame.top) ** 2);
  const [reds, greens, blues] = planes as [Plane, Plane, Plane];

  const pixels = new Uint8Array(3 * frame.width * frame.height);
  let offset = 0;
  for (let y = 0; y < frame.height; y++) {
    const row = y - part.y;
    const inRow = row >= 0 && row < part.height;
    for (let x = 0; x < frame.width; x++) {
      const column = x - part.x;
      let [r, g, b] = [0, 0, 0];
      if (inRow && column >= 0 && column < part.width) {
        const pixel = row * part.width + column;
        const shade = 1 - fading * ((x + 0.5 - frame.cx) ** 2 + (y + 0.5 - frame.cy) ** 2);
        r = red * shade * (reds.values[pixel] as number);
        g = green * shade * (greens.values[pixel] as number);
        b = blue * shade * (blues.values[pixel] as number);
      }
      r = noise.add(r);
      g = noise.add(g);
      b = noise.add(b);
      const grey = 0.2126 * r + 0.7152 * g + 0.0722 * b;
      pixels[offset++] = tone.byte(grey + (r - grey) * saturation);
      pixels[offset++] = tone.byte(grey + (g - grey) * saturation);
      pixels[offset++] = tone.byte(grey + (b - grey) * saturation);
    }
  }
  return pixels;
}
