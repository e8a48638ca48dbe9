import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { describe, expect, onTestFinished, test } from "vitest";
import { type Affine, distance, identity } from "./affine.js";
import type { GreyImage } from "./plane.js";
import { alignPhotos, stackPhotos } from "./stack-photos.js";
import {
  type BlurAt,
  decibels,
  disc,
  photograph,
  type Scene,
  sharpness,
  similarity,
  texture,
  writePhotos,
} from "./testing.js";

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "openscan-stack-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

async function decoded(jpeg: Uint8Array): Promise<GreyImage> {
  const { data, info } = await sharp(jpeg).toColourspace("b-w").raw().toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, pixels: data };
}

/** Sigma in pixels of the blur that even the best lens has. */
const SHARPEST = 0.55;

interface Stack {
  readonly width: number;
  readonly height: number;
  readonly photos: number;
  readonly scene: Scene;
  /** Where in the stack a place is in focus: 0 the first photo, 1 the last. */
  readonly depth: (x: number, y: number) => number;
  /** Sigma in pixels of what is out of focus by the whole range. */
  readonly blur: number;
  readonly noise?: number;
}

type Shots = ReturnType<typeof shoot>;

/** Photos focused from front to back by a lens that magnifies, shifts and turns as it moves. */
function shoot({ width, height, photos, scene, depth, blur, noise = 0 }: Stack) {
  const size = { width, height };
  const middle = Math.floor(photos / 2);
  const transforms = Array.from({ length: photos }, (_, index): Affine => {
    const steps = index - middle;
    return steps === 0
      ? identity
      : similarity(size, {
          scale: 1 + 0.006 * steps,
          turn: 0.0004 * steps,
          shift: [0.7 * steps, -0.45 * steps],
        });
  });
  const blurIn =
    (index: number): BlurAt =>
    (x, y) =>
      SHARPEST + blur * Math.abs(depth(x, y) - index / (photos - 1));
  const images = transforms.map((transform, index) =>
    photograph(scene, { ...size, transform, blur: blurIn(index), noise, seed: index + 1 }),
  );
  // The same through a lens that does nothing but focus, to compare places with.
  const inPlace = images.map((_, index) =>
    photograph(scene, { ...size, transform: identity, blur: blurIn(index), noise, seed: index + 101 }),
  );
  const allSharp = photograph(scene, {
    ...size,
    transform: identity,
    blur: () => SHARPEST,
    noise,
    seed: 100,
  });
  return { images, transforms, inPlace, allSharp };
}

/** Of each square of the stacked picture, how sharp it is by the sharpest of the photos. */
function relativeSharpness(stacked: GreyImage, { inPlace, allSharp }: Shots, edge: number): number[] {
  const found: number[] = [];
  for (let top = edge / 2; top + 1.5 * edge < stacked.height; top += edge) {
    for (let left = edge / 2; left + 1.5 * edge < stacked.width; left += edge) {
      const sharpest = Math.max(...inPlace.map((photo) => sharpness(photo, left, top, edge)));
      // Where depth jumps, the seam between sharp and blurred is itself an edge, which the scene does not have.
      const real = Math.min(sharpest, sharpness(allSharp, left, top, edge));
      found.push(sharpness(stacked, left, top, edge) / real);
    }
  }
  return found;
}

const slope = (width: number) => (x: number) => x / (width - 1);

// Regions are squares of so many pixels: over a jump in depth, the choice is sure to a few pixels only.
describe("a stack is aligned to less than half a pixel, and each region of it as sharp as the sharpest photo", () => {
  test.each<[string, number, Stack]>([
    ["a slope", 20, { width: 300, height: 220, photos: 5, scene: texture(1), depth: slope(300), blur: 8 }],
    [
      "upright, with noise",
      20,
      { width: 190, height: 260, photos: 4, scene: texture(2), depth: slope(190), blur: 6, noise: 3 },
    ],
    [
      "two steps of depth",
      40,
      {
        width: 300,
        height: 200,
        photos: 3,
        scene: texture(3),
        depth: (x) => (x < 110 ? 0 : x < 190 ? 1 : 0.5),
        blur: 7,
      },
    ],
    ["small", 20, { width: 160, height: 120, photos: 3, scene: texture(4), depth: slope(160), blur: 4 }],
    [
      "many photos",
      20,
      { width: 220, height: 150, photos: 9, scene: texture(5), depth: slope(220), blur: 5 },
    ],
  ])("%s", async (_, edge, stack) => {
    const shots = shoot(stack);
    const { images, transforms, allSharp } = shots;
    const files = await writePhotos(await temporaryFolder(), images);
    const found = await alignPhotos(files);
    for (const [index, transform] of found.entries())
      expect(
        transform && distance(transform, transforms[index] as Affine, stack.width, stack.height),
      ).toBeLessThan(0.5);

    const stacked = await decoded(
      await stackPhotos(
        files,
        found.map((transform) => transform ?? identity),
      ),
    );
    const relative = relativeSharpness(stacked, shots, edge).sort((a, b) => a - b);
    expect(relative[0]).toBeGreaterThan(0.95);
    const middle = decibels(images[Math.floor(images.length / 2)] as GreyImage, allSharp);
    expect(decibels(stacked, allSharp)).toBeGreaterThan(middle + 1);
  });
});

test("an object in front of black: no halo around it, no dark frame, nothing but black behind it", async () => {
  const [width, height] = [300, 220];
  const [middleX, middleY, radius] = [150, 110, 70];
  const scene = disc(texture(6), middleX, middleY, radius);
  const depth = (x: number, y: number) => Math.min(1, Math.hypot(x - middleX, y - middleY) / radius);
  const { images, transforms, allSharp } = shoot({
    width,
    height,
    photos: 5,
    scene,
    depth,
    blur: 10,
    noise: 1.5,
  });
  const stacked = await decoded(
    await stackPhotos(await writePhotos(await temporaryFolder(), images), transforms),
  );
  // Photos focused elsewhere carry the outline this far out.
  const around = (image: GreyImage) => {
    let brightest = 0;
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++)
        if (Math.hypot(x - middleX, y - middleY) > radius + 5)
          brightest = Math.max(brightest, image.pixels[y * width + x] as number);
    return brightest;
  };
  expect(around(images[0] as GreyImage)).toBeGreaterThan(60);
  expect(around(stacked)).toBeLessThan(around(allSharp) + 14);
});

test("the border is as bright as the rest where photos do not reach it", async () => {
  const [width, height] = [200, 150];
  const surface = texture(7);
  const scene: Scene = (x, y, sigma) => 0.25 + 0.5 * surface(x, y, sigma);
  const { images, transforms, allSharp } = shoot({
    width,
    height,
    photos: 5,
    scene,
    depth: () => 1,
    blur: 6,
  });
  const stacked = await decoded(
    await stackPhotos(await writePhotos(await temporaryFolder(), images), transforms),
  );
  let darker = 0;
  for (let x = 0; x < width; x++) {
    for (const y of [0, height - 1])
      darker = Math.max(
        darker,
        (allSharp.pixels[y * width + x] as number) - (stacked.pixels[y * width + x] as number),
      );
  }
  // Blur, not black: where the sharp photo ends, a less sharp one is taken.
  expect(darker).toBeLessThan(60);
  expect(Math.min(...stacked.pixels.subarray(0, width))).toBeGreaterThan(100);
});

test("an even picture stays even, whatever is taken from where", async () => {
  const images = [0, 1, 2].map((index) =>
    photograph(() => 0.3, {
      width: 200,
      height: 150,
      transform: identity,
      blur: () => 0,
      noise: 2,
      seed: index + 1,
    }),
  );
  const files = await writePhotos(await temporaryFolder(), images);
  const found = await alignPhotos(files);
  expect(found).toEqual([undefined, identity, undefined]);
  const { pixels } = await decoded(await stackPhotos(files, [identity, identity, identity]));
  const mean = pixels.reduce((sum, value) => sum + value, 0) / pixels.length;
  const original = images[1]!.pixels.reduce((sum, value) => sum + value, 0) / pixels.length;
  expect(Math.abs(mean - original)).toBeLessThan(0.5);
});

test("colours are kept; a stack of one photo is that photo", async () => {
  const folder = await temporaryFolder();
  const file = join(folder, "scan01_000_fs00.jpg");
  const create = { width: 90, height: 60, channels: 3, background: { r: 200, g: 90, b: 30 } } as const;
  await sharp({ create }).jpeg({ quality: 95 }).toFile(file);
  const { data, info } = await sharp(await stackPhotos([file], [identity]))
    .raw()
    .toBuffer({ resolveWithObject: true });
  expect(info).toMatchObject({ width: 90, height: 60, channels: 3 });
  for (const [colour, expected] of [200, 90, 30].entries())
    expect(Math.abs((data[3 * 1234 + colour] as number) - expected)).toBeLessThan(4);
});

test("a photo without colour is stacked as one with", async () => {
  const folder = await temporaryFolder();
  const file = join(folder, "grey.jpg");
  await sharp(Buffer.alloc(64 * 48, 120), { raw: { width: 64, height: 48, channels: 1 } })
    .jpeg()
    .toFile(file);
  expect(await sharp(await stackPhotos([file], [identity])).metadata()).toMatchObject({
    width: 64,
    height: 48,
  });
});

test("orientation and model come from the middle photo; no pixel is turned", async () => {
  const folder = await temporaryFolder();
  const files = await Promise.all(
    [1, 6, 1].map(async (orientation, index) => {
      const file = join(folder, `${index}.jpg`);
      const create = { width: 80, height: 50, channels: 3, background: "teal" } as const;
      await sharp({ create })
        .jpeg()
        .withExif({ IFD0: { Model: `camera ${index}` } })
        .withMetadata({ orientation })
        .toFile(file);
      return file;
    }),
  );
  const metadata = await sharp(await stackPhotos(files, [identity, identity, identity])).metadata();
  expect(metadata).toMatchObject({ width: 80, height: 50, orientation: 6 });
  expect(metadata.exif?.toString("latin1")).toContain("camera 1");
});

describe("photos that cannot be stacked", () => {
  test("of different sizes", async () => {
    const folder = await temporaryFolder();
    const files = await Promise.all(
      [80, 80, 81].map(async (width, index) => {
        const file = join(folder, `${index}.jpg`);
        await sharp({ create: { width, height: 60, channels: 3, background: "teal" } })
          .jpeg()
          .toFile(file);
        return file;
      }),
    );
    const refused = `${files[2]} has 81x60 pixels, others of its stack 80x60`;
    await expect(alignPhotos(files)).rejects.toThrow(refused);
    await expect(stackPhotos(files, [identity, identity, identity])).rejects.toThrow(refused);
  });

  test("missing or damaged ones", async () => {
    const folder = await temporaryFolder();
    const whole = await sharp({ create: { width: 80, height: 60, channels: 3, background: "teal" } })
      .jpeg()
      .toBuffer();
    const file = join(folder, "cut.jpg");
    await sharp(whole).toFile(join(folder, "whole.jpg"));
    await writeFile(file, whole.subarray(0, whole.length / 2));
    await expect(stackPhotos([file], [identity])).rejects.toThrow();
    await expect(stackPhotos([join(folder, "none.jpg")], [identity])).rejects.toThrow("none.jpg");
    await expect(alignPhotos([join(folder, "whole.jpg"), file])).rejects.toThrow();
  });
});
