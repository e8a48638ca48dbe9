import { expect, test } from "vitest";
import { cameraPose, project, twinFrame } from "./camera-model.js";
import { renderDepth } from "./depth-map.js";
import { BOUNDING_RADIUS, objectDistance, PLATE, plateDistance } from "./shape.js";
import { surfacePoints } from "./surface-points.js";
import { addScaled, dot, normalize, type Vector } from "./vector.js";

const nothing = Number.POSITIVE_INFINITY;

test("straight below, the plate's underside is a disc at its exact depth", () => {
  const [width, height, radiusMm] = [160, 120, 110];
  const depth = renderDepth({ theta: 180, fi: 0, radiusMm, width, height });
  const { f, cx, cy } = twinFrame(width, height);
  const toPlate = radiusMm + PLATE.bottom;
  const rim = (PLATE.radius * f) / toPlate;
  let [hits, misses, worst] = [0, 0, 0];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const seen = depth[y * width + x] as number;
      const inside = Math.hypot(x + 0.5 - cx, y + 0.5 - cy) < rim;
      if (inside !== seen < nothing) misses++;
      if (seen === nothing) continue;
      hits++;
      worst = Math.max(worst, Math.abs(seen - toPlate));
    }
  }
  expect(hits).toBeGreaterThan(5000);
  expect(misses).toBe(0);
  expect(worst).toBeLessThan(1e-4);
});

/** First contact of a ray, found in steps far too small to be fast, with the exact shape and no tiles. */
function creep(from: Vector, ray: Vector): number {
  const nearest = -dot(from, ray);
  const half = Math.sqrt(BOUNDING_RADIUS ** 2 - dot(from, from) + nearest ** 2);
  // A ray that misses the sphere around everything has no `half`, and takes no step.
  for (let t = nearest - half; t < nearest + half; t += 0.1) {
    const [x, y, z] = addScaled(from, ray, t);
    if (Math.min(objectDistance(x, y, z), plateDistance(x, y, z)) <= 0) return t;
  }
  return nothing;
}

test.each([
  [20, 10],
  [75, 130],
  [118, 250],
])("theta %d, fi %d: cones and long steps skip nothing that small steps find", (theta, fi) => {
  const [width, height] = [40, 30];
  const depth = renderDepth({ theta, fi, radiusMm: 110, width, height });
  const { f, cx, cy } = twinFrame(width, height);
  const pose = cameraPose(theta, fi, 110);
  const [right, down, forward] = pose.R;
  let hits = 0;
  let differing = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const ray = normalize(
        addScaled(addScaled(forward, right, (x + 0.5 - cx) / f), down, (y + 0.5 - cy) / f),
      );
      const expected = creep(pose.C, ray) * dot(ray, forward);
      const seen = depth[y * width + x] as number;
      if (expected < nothing) hits++;
      if (expected < nothing !== seen < nothing || Math.abs(expected - seen) > 0.25) differing++;
    }
  }
  expect(hits).toBeGreaterThan(0.12 * width * height);
  // The grid rounds the shape by some hundredths of a millimetre, which shows where a ray just grazes it.
  expect(differing).toBeLessThanOrEqual(0.01 * hits);
});

/** Depths that occur within half a pixel around u, v: those of the four pixel middles around it. */
function depthsAround(depth: Float32Array, width: number, u: number, v: number): number[] {
  const x = Math.floor(u - 0.5);
  const y = Math.floor(v - 0.5);
  return [0, 1, width, width + 1].map((step) => depth[y * width + x + step] as number);
}

/** How many points a camera sees, and whose depth is met within half a pixel of where the pose puts them. */
function meet(points: readonly Vector[], theta: number, fi: number, posedFi: number) {
  const [width, height] = [320, 240];
  const settings = { crop_width: 10, crop_height: 4 };
  const frame = twinFrame(width, height, settings);
  const depth = renderDepth({ theta, fi, radiusMm: 110, width, height, settings });
  const pose = cameraPose(theta, posedFi, 110);
  let [visible, met] = [0, 0];
  for (const point of points) {
    const seen = project(point, pose, frame);
    const around = depthsAround(depth, frame.width, seen.u, seen.v);
    // What lies behind something nearer is not visible, and tells nothing.
    if (seen.depth > Math.max(...around.filter((value) => value < nothing)) + 0.3) continue;
    visible++;
    if (seen.depth >= Math.min(...around) - 0.02) met++;
  }
  return { visible, met };
}

// The plate looks the same at every azimuth and would hide a wrong one.
const onObject = surfacePoints(2000).filter(([x, y, z]) => plateDistance(x, y, z) > 0.1);

test.each([
  [12, 40],
  [60, 200],
  [90, 325],
  [120, 80],
])("theta %d, fi %d: surface points appear where the pose puts them, within half a pixel", (theta, fi) => {
  const { visible, met } = meet(onObject, theta, fi, fi);
  expect(visible).toBeGreaterThan(onObject.length * 0.2);
  expect(met / visible).toBeGreaterThan(0.99);
  expect(meet(onObject, theta, fi, fi + 3).met).toBeLessThan(0.8 * met);
  expect(meet(onObject, theta, fi, -fi).met).toBeLessThan(0.5 * met);
});

test("object and plate fill a fifth of the frame", () => {
  const parts = [12, 40, 70, 98, 125].map((theta) => {
    const depth = renderDepth({ theta, fi: 3 * theta, radiusMm: 110, width: 160, height: 120 });
    return depth.filter((value) => value < nothing).length / depth.length;
  });
  expect(parts.reduce((sum, part) => sum + part, 0) / parts.length).toBeGreaterThan(0.2);
  for (const part of parts) expect(part).toBeGreaterThan(0.16);
});

test("the surface spans the depths that focus stacking needs", () => {
  const depth = renderDepth({ theta: 60, fi: 20, radiusMm: 110, width: 160, height: 120 });
  const dioptres = [...depth].filter((value) => value < nothing).map((value) => 1000 / value);
  expect(Math.min(...dioptres)).toBeLessThan(8.2);
  expect(Math.max(...dioptres)).toBeGreaterThan(11.2);
});

test("a camera told to stand inside the object stays outside it", () => {
  const view = { theta: 60, fi: 20, width: 64, height: 48 };
  expect(renderDepth({ ...view, radiusMm: 1 })).toEqual(renderDepth({ ...view, radiusMm: 60 }));
});
