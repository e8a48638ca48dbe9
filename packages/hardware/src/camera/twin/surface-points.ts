import { Random } from "./random.js";
import { BOUNDING_RADIUS, objectDistance, plateDistance } from "./shape.js";
import { addScaled, normalize, subtract, type Vector } from "./vector.js";

const CONTACT = 1e-4;

/**
 * Points on the surface of object and plate, in mm: where random rays into the scene first meet it. Found
 * with the exact shape, so they test the rendering instead of repeating it.
 */
export function surfacePoints(count: number, seed = 1): Vector[] {
  const random = new Random(seed);
  const points: Vector[] = [];
  while (points.length < count) {
    const from = scaledDirection(random, BOUNDING_RADIUS);
    const towards = scaledDirection(random, 25);
    const point = firstContact(from, normalize(subtract(towards, from)));
    if (point) points.push(point);
  }
  return points;
}

function firstContact(from: Vector, ray: Vector): Vector | undefined {
  for (let t = 0, steps = 0; t < 2 * BOUNDING_RADIUS && steps < 1000; steps++) {
    const point = addScaled(from, ray, t);
    const free = Math.min(objectDistance(...point), plateDistance(...point));
    if (free < CONTACT) return point;
    t += free;
  }
  return undefined;
}

function scaledDirection(random: Random, length: number): Vector {
  const [x, y, z] = normalize([random.normal(), random.normal(), random.normal()]);
  return [x * length, y * length, z * length];
}
