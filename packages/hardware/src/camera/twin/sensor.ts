import type { CameraSettings } from "@openscan/protocol";
import type { SensorImage } from "../dng.js";
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
/** Values of the sensor's converter for darkness and saturation. */
const BLACK = 4096;
const WHITE = 65_535;
/** IEC 61966-2-1, linear. */
const SRGB_FROM_XYZ = [
  3.2404542, -1.5371385, -0.4985314, -0.969266, 1.8760108, 0.041556, 0.0556434, -0.2040259, 1.0572252,
];

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
  return develop(geometry, arrivingLight(geometry, frame, exposure), frame, exposure);
}

/** What the sensor itself saw, behind its mosaic of colour filters: the camera's settings for colour play no part. */
export function exposeMosaic(geometry: GeometryBuffer, frame: Frame, exposure: Exposure): SensorImage {
  const { settings, seed } = exposure;
  const [reds, greens, blues] = arrivingLight(geometry, frame, exposure) as [Plane, Plane, Plane];
  const { width, height } = frame;
  const gain = settings.gain ?? 1;
  const green = brightness(settings);
  const coloured = green / DEFAULT_WHITE_BALANCE;
  const noise = new SensorNoise(seed, gain);
  const shade = vignette(frame);
  const mosaic = new Uint16Array(width * height);
  for (let y = 0; y < height; y++) {
    const row = y - geometry.y;
    const inRow = row >= 0 && row < geometry.height;
    for (let x = 0; x < width; x++) {
      const column = x - geometry.x;
      const isGreen = ((x ^ y) & 1) === 1;
      const plane = isGreen ? greens : (y & 1) === 0 ? reds : blues;
      let signal = 0;
      if (inRow && column >= 0 && column < geometry.width)
        signal =
          (isGreen ? green : coloured) *
          shade(x, y) *
          (plane.values[row * geometry.width + column] as number);
      const value = BLACK + noise.add(signal) * (WHITE - BLACK);
      mosaic[y * width + x] = Math.round(Math.min(WHITE, Math.max(0, value)));
    }
  }
  const { awbg_red, awbg_blue } = settings;
  return {
    width,
    height,
    mosaic,
    black: BLACK,
    white: WHITE,
    neutral: [1 / (awbg_red || DEFAULT_WHITE_BALANCE), 1, 1 / (awbg_blue || DEFAULT_WHITE_BALANCE)],
    colorMatrix: SRGB_FROM_XYZ.map((value, index) =>
      Math.floor(index / 3) === 1 ? value : value / DEFAULT_WHITE_BALANCE,
    ),
  };
}

function arrivingLight(
  geometry: GeometryBuffer,
  frame: Frame,
  { light, depthBlur, dioptres }: Exposure,
): Plane[] {
  const lit = illuminate(geometry, light);
  return depthBlur ? blurByDepth(lit, geometry.depth, dioptres, frame.f) : lit;
}

/** What becomes of full light on a white surface: 1 saturates a green pixel. */
function brightness({ gain, shutter }: CameraSettings): number {
  return (EXPOSURE * (gain ?? 1) * (shutter ?? DEFAULT_SHUTTER_MS)) / DEFAULT_SHUTTER_MS;
}

/** Part of the light that the lens lets through at a pixel. */
function vignette(frame: Frame): (x: number, y: number) => number {
  const fading = VIGNETTE / ((frame.width / 2 + frame.left) ** 2 + (frame.height / 2 + frame.top) ** 2);
  return (x, y) => 1 - fading * ((x + 0.5 - frame.cx) ** 2 + (y + 0.5 - frame.cy) ** 2);
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
  const green = brightness(settings);
  const red = green * ((settings.awbg_red ?? DEFAULT_WHITE_BALANCE) / DEFAULT_WHITE_BALANCE);
  const blue = green * ((settings.awbg_blue ?? DEFAULT_WHITE_BALANCE) / DEFAULT_WHITE_BALANCE);
  const saturation = settings.saturation ?? 1;
  const tone = new ToneCurve(settings.contrast ?? 1);
  const noise = new SensorNoise(seed, gain);
  const shadeAt = vignette(frame);
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
        const shade = shadeAt(x, y);
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
