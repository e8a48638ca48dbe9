import { describe, expect, test } from "vitest";
import { distance, identity } from "./affine.js";
import { align, pyramid } from "./align.js";
import { disc, photograph, type Scene, similarity, texture } from "./testing.js";

const none = () => 0;

function shoot(
  scene: Scene,
  size: { width: number; height: number },
  { transform = identity, sigma = 0.6, noise = 1, seed = 1 } = {},
) {
  return photograph(scene, { ...size, transform, blur: () => sigma, noise, seed });
}

describe("finds how a photo lies to another one", () => {
  test.each([
    ["of a usual size", 400, 300],
    ["upright", 241, 317],
    ["small", 96, 80],
    ["wide", 400, 90],
  ])("%s, whatever is in focus", (_, width, height) => {
    const size = { width, height };
    const scene = texture(width);
    const reference = pyramid(shoot(scene, size));
    for (const [scale, turn, shift, sigma] of [
      [1.012, 0, [0, 0], 0.6],
      [0.988, 0, [3.3, -2.1], 2.5],
      [1, 0.004, [-4.6, 1.2], 1.5],
      [1.03, -0.003, [2.4, 5.7], 3],
    ] as const) {
      const truth = similarity(size, { scale, turn, shift });
      const found = align(reference, pyramid(shoot(scene, size, { transform: truth, sigma, seed: 2 })));
      expect(found && distance(found, truth, width, height)).toBeLessThan(width < 100 ? 0.5 : 0.25);
    }
  });

  test("with much noise", () => {
    const size = { width: 320, height: 240 };
    const scene = texture(5);
    const truth = similarity(size, { scale: 1.01, shift: [2.5, -3.5] });
    const reference = pyramid(shoot(scene, size, { noise: 12 }));
    const found = align(
      reference,
      pyramid(shoot(scene, size, { transform: truth, sigma: 2, noise: 12, seed: 2 })),
    );
    expect(found && distance(found, truth, size.width, size.height)).toBeLessThan(0.5);
  });

  test("with another exposure", () => {
    const size = { width: 320, height: 240 };
    const scene = texture(6);
    const darker: Scene = (x, y, sigma) => 0.5 * scene(x, y, sigma) + 0.05;
    const truth = similarity(size, { scale: 0.99, shift: [1.5, 0.5] });
    const found = align(
      pyramid(shoot(scene, size)),
      pyramid(shoot(darker, size, { transform: truth, seed: 2 })),
    );
    expect(found && distance(found, truth, size.width, size.height)).toBeLessThan(0.15);
  });

  test("of an object in front of black, whose blurred outline seems to grow", () => {
    const size = { width: 400, height: 300 };
    const scene = disc(texture(7), 190, 160, 80);
    const reference = pyramid(shoot(scene, size));
    for (const scale of [0.985, 1.015]) {
      const truth = similarity(size, { scale });
      const found = align(reference, pyramid(shoot(scene, size, { transform: truth, sigma: 4, seed: 2 })));
      // The corners are far outside of what there is to see.
      expect(found && distance(found, truth, size.width, size.height)).toBeLessThan(0.5);
    }
  });

  test("larger than what is looked at: the whole picture is meant", () => {
    const size = { width: 1901, height: 411 };
    const scene = texture(8, 3, 8);
    const coarse: Scene = (x, y, sigma) => scene(x / 3, y / 3, sigma / 3);
    const truth = similarity(size, { scale: 1.01, shift: [6.5, -9.5] });
    const found = align(
      pyramid(shoot(coarse, size)),
      pyramid(shoot(coarse, size, { transform: truth, seed: 2 })),
    );
    expect(found && distance(found, truth, size.width, size.height)).toBeLessThan(0.3);
  });
});

describe("does not guess", () => {
  const size = { width: 320, height: 240 };
  const flat: Scene = () => 0.4;
  test.each<[string, Scene, Scene, number]>([
    ["pictures of one tone", flat, flat, 0],
    ["noise alone", flat, flat, 6],
    ["detail that drowns in noise", texture(1, 0.03), texture(1, 0.03), 8],
    ["another scene", texture(1), texture(2), 1],
    ["nothing on the second photo", texture(1), flat, 1],
    ["nothing on the first photo", flat, texture(1), 1],
  ])("%s", (_, one, other, noise) => {
    const found = align(
      pyramid(shoot(one, size, { noise, seed: 1 })),
      pyramid(shoot(other, size, { noise, seed: 2 })),
    );
    expect(found).toBeUndefined();
  });

  test("what no lens does: a picture moved by a quarter of its width, or turned by 10 degrees", () => {
    const scene = texture(3);
    const reference = pyramid(shoot(scene, size));
    for (const transform of [similarity(size, { shift: [80, 0] }), similarity(size, { turn: 0.17 })])
      expect(align(reference, pyramid(shoot(scene, size, { transform })))).toBeUndefined();
  });

  test("pictures that are too small to tell", () => {
    const tiny = { width: 16, height: 16 };
    const photo = pyramid(photograph(texture(1), { ...tiny, transform: identity, blur: none }));
    expect(align(photo, photo) ?? identity).toSatisfy((found) => distance(found, identity, 16, 16) < 0.01);
  });
});
