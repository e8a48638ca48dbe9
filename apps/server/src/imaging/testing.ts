import { join } from "node:path";
import sharp from "sharp";
import { type Affine, apply, inverse } from "./affine.js";
import type { GreyImage } from "./plane.js";

/** One place of a scene: how far the lens is from being focused on it, as the sigma of its blur in pixels. */
export type BlurAt = (x: number, y: number) => number;

/** How much light comes from a place of the scene, 0 to 1, blurred by this sigma. */
export type Scene = (x: number, y: number, sigma: number) => number;

/** Numbers from 0 to 1 that are the same in every run. */
function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * A surface with detail of every size: waves whose blurred form is known exactly, so that a photo of it can be computed
 * through any transform without sampling another picture.
 */
export function texture(seed: number, contrast = 1, count = 20): Scene {
  const random = randomNumbers(seed);
  const waves = Array.from({ length: count }, (_, index) => {
    const length = 3.2 * 1.17 ** index;
    const direction = 2 * Math.PI * random();
    return {
      x: Math.cos(direction) / length,
      y: Math.sin(direction) / length,
      phase: random(),
      strength: contrast * 0.036 * (length / 3.2) ** 0.35,
      fading: 2 * (Math.PI / length) ** 2,
    };
  });
  return (x, y, sigma) => {
    let light = 0.3;
    for (const wave of waves) {
      const strength = wave.strength * Math.exp(-wave.fading * sigma * sigma);
      light += strength * Math.sin(2 * Math.PI * (wave.x * x + wave.y * y + wave.phase));
    }
    return Math.min(1, Math.max(0, light));
  };
}

/** A round object with a surface in front of black. */
export function disc(surface: Scene, middleX: number, middleY: number, radius: number): Scene {
  return (x, y, sigma) => {
    const inside = radius - Math.hypot(x - middleX, y - middleY);
    // The blurred edge of something large: the integral of a Gaussian, nearly.
    const covered = 1 / (1 + Math.exp((-1.702 * inside) / Math.max(0.5, sigma)));
    return covered < 1e-6 ? 0 : covered * surface(x, y, sigma);
  };
}

export interface Shot {
  readonly width: number;
  readonly height: number;
  readonly blur: BlurAt;
  /** Where points of the reference, which has the scene's coordinates, are in this photo. */
  readonly transform: Affine;
  /** Standard deviation of the noise, in values of 8 bits. */
  readonly noise?: number;
  readonly seed?: number;
}

/** A photo of the scene, as a camera writes it. */
export function photograph(
  scene: Scene,
  { width, height, blur, transform, noise = 0, seed = 1 }: Shot,
): GreyImage {
  const toScene = inverse(transform);
  const random = randomNumbers(seed);
  const pixels = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [atX, atY] = apply(toScene, x, y);
      const grain = noise * Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
      const value = 255 * tone(scene(atX, atY, blur(atX, atY))) + grain;
      pixels[y * width + x] = Math.min(255, Math.max(0, Math.round(value)));
    }
  }
  return { width, height, pixels };
}

/** The sRGB curve. */
function tone(light: number): number {
  return light <= 0.0031308 ? 12.92 * light : 1.055 * light ** (1 / 2.4) - 0.055;
}

/** Magnified about the middle of a picture, turned (radians), then shifted. */
export function similarity(
  { width, height }: { readonly width: number; readonly height: number },
  {
    scale = 1,
    turn = 0,
    shift = [0, 0],
  }: { scale?: number; turn?: number; shift?: readonly [number, number] },
): Affine {
  const [x, y] = [(width - 1) / 2, (height - 1) / 2];
  const [a, d] = [scale * Math.cos(turn), scale * Math.sin(turn)];
  return { a, b: -d, c: x - a * x + d * y + shift[0], d, e: a, f: y - d * x - a * y + shift[1] };
}

/** Writes grey pictures without loss; tells their paths. */
export async function writePhotos(folder: string, photos: readonly GreyImage[]): Promise<string[]> {
  const files = photos.map((_, index) => join(folder, `scan01_000_fs0${index}.png`));
  for (const [index, { width, height, pixels }] of photos.entries()) {
    await sharp(pixels, { raw: { width, height, channels: 1 } })
      .toColourspace("srgb")
      .png({ compressionLevel: 1 })
      .toFile(files[index] as string);
  }
  return files;
}

/** The standard deviation, so to speak, of the slopes within a square: falls with every blur. */
export function sharpness(
  { width, height, pixels }: GreyImage,
  left: number,
  top: number,
  edge: number,
): number {
  let squares = 0;
  for (let y = top; y < top + edge; y++) {
    for (let x = left; x < left + edge; x++) {
      const at = (dx: number, dy: number) => {
        const column = Math.min(width - 1, Math.max(0, Math.round(x + dx)));
        return pixels[Math.min(height - 1, Math.max(0, Math.round(y + dy))) * width + column] as number;
      };
      squares += (at(1, 0) - at(-1, 0)) ** 2 + (at(0, 1) - at(0, -1)) ** 2;
    }
  }
  return Math.sqrt(squares) / edge;
}

/** Likeness of two pictures in decibels. */
export function decibels(one: GreyImage, other: GreyImage): number {
  let squares = 0;
  for (let index = 0; index < one.pixels.length; index++)
    squares += ((one.pixels[index] as number) - (other.pixels[index] as number)) ** 2;
  return 10 * Math.log10((255 * 255 * one.pixels.length) / squares);
}
