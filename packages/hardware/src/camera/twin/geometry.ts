import { DistanceGrid } from "./distance-grid.js";
import { type Frame, type Pose } from "./camera-model.js";
import { BOUNDING_RADIUS, PLATE, plateDistance } from "./shape.js";
import type { SolidTexture } from "./texture.js";
import { addScaled, dot, length2, length3, normalize, type Vector } from "./vector.js";

/** What every picture is made of: immutable, and the same for every camera. */
export interface Scene {
  readonly grid: DistanceGrid;
  readonly texture: SolidTexture;
}

/** What a camera sees before light and exposure, for the part of the frame that may show anything. */
export interface GeometryBuffer {
  /** The part, in pixels of the frame; all arrays are row by row over it. */
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  /** Red, green, blue per pixel, 0 to 1. */
  readonly albedo: Float32Array;
  /** Light that returns from the ring light at full power, and from the surroundings. */
  readonly ring: Float32Array;
  readonly ambient: Float32Array;
  /** Along the optical axis in mm; Infinity where nothing is hit. */
  readonly depth: Float32Array;
}

const TILE = 8;
const MAX_STEPS = 200;
/** A ray this close to the surface has met it, in mm. */
const CONTACT = 0.015;
/** The field grows by about this much less than one per mm; what is left at contact is stepped over. */
const LAST_STEP = 1.4;
/** Ring light and lens are here, in mm, when a white surface facing them returns 1. */
const RING_REFERENCE_MM = 88;

/** Renders what the camera sees: tiles first, then the pixels of those tiles that show something. */
export function renderGeometry(scene: Scene, frame: Frame, pose: Pose): GeometryBuffer {
  const columns = Math.ceil(frame.width / TILE);
  const starts = new Float64Array(columns * Math.ceil(frame.height / TILE));
  const part = marchTiles(scene, frame, pose, starts);
  const buffer = allocate(part);
  const view = new PixelView(scene, frame, pose, buffer);
  for (let y = buffer.y; y < buffer.y + buffer.height; y++) {
    const row = Math.floor(y / TILE) * columns;
    for (let x = buffer.x; x < buffer.x + buffer.width; x++) {
      const start = starts[row + Math.floor(x / TILE)] as number;
      if (start < Number.POSITIVE_INFINITY) view.shade(x, y, start);
    }
  }
  return buffer;
}

interface Part {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

function allocate(part: Part): GeometryBuffer {
  const pixels = part.width * part.height;
  return {
    ...part,
    albedo: new Float32Array(3 * pixels),
    ring: new Float32Array(pixels),
    ambient: new Float32Array(pixels),
    depth: new Float32Array(pixels).fill(Number.POSITIVE_INFINITY),
  };
}

/**
 * Sends one cone through each tile. Writes to `starts` how far its rays may go unchecked, or Infinity when
 * none of them can meet anything.
 *
 * @returns the smallest rectangle around all other tiles
 */
function marchTiles({ grid }: Scene, frame: Frame, pose: Pose, starts: Float64Array): Part {
  const columns = Math.ceil(frame.width / TILE);
  let [left, top, right, bottom] = [frame.width, frame.height, 0, 0];
  for (let tile = 0; tile < starts.length; tile++) {
    const x = (tile % columns) * TILE;
    const y = Math.floor(tile / columns) * TILE;
    const axis = rayThrough(x + TILE / 2, y + TILE / 2, frame, pose);
    const start = marchCone(grid, pose.C, axis, coneSlope(x, y, axis, frame, pose));
    starts[tile] = start;
    if (start === Number.POSITIVE_INFINITY) continue;
    left = Math.min(left, x);
    top = Math.min(top, y);
    right = Math.max(right, Math.min(x + TILE, frame.width));
    bottom = Math.max(bottom, Math.min(y + TILE, frame.height));
  }
  if (right === 0) return { x: 0, y: 0, width: 0, height: 0 };
  return { x: left, y: top, width: right - left, height: bottom - top };
}

/** Radius by length of the cone around `axis` that holds the whole tile with its corner at x, y. */
function coneSlope(x: number, y: number, axis: Vector, frame: Frame, pose: Pose): number {
  let cosine = 1;
  for (const [dx, dy] of [
    [0, 0],
    [TILE, 0],
    [0, TILE],
    [TILE, TILE],
  ] as const) {
    cosine = Math.min(cosine, dot(axis, rayThrough(x + dx, y + dy, frame, pose)));
  }
  return Math.sqrt(1 - cosine * cosine) / cosine;
}

/** How far a cone of this slope is empty, in mm from `from`; Infinity when it is empty all the way. */
function marchCone(grid: DistanceGrid, from: Vector, axis: Vector, slope: number): number {
  const end = length3(...from) + BOUNDING_RADIUS;
  let t = Math.max(0, length3(...from) - BOUNDING_RADIUS);
  // The bounding sphere is the first empty space: nothing lies before it on any ray.
  for (let step = 0; step < MAX_STEPS && t < end; step++) {
    const x = from[0] + axis[0] * t;
    const y = from[1] + axis[1] * t;
    const z = from[2] + axis[2] * t;
    const free = Math.min(grid.at(x, y, z), plateDistance(x, y, z));
    const radius = t * slope;
    if (free <= radius * 1.02) return t;
    // The farthest section of the cone that still lies within the ball of radius `free` around this point.
    const square = 1 + slope * slope;
    const aside = radius * slope;
    t += (Math.sqrt(aside * aside + square * (free * free - radius * radius)) - aside) / square;
  }
  return t < end ? t : Number.POSITIVE_INFINITY;
}

/** Spelt out instead of composed: this runs for every pixel, and every vector between would be garbage. */
function rayThrough(u: number, v: number, { f, cx, cy }: Frame, { R: [right, down, forward] }: Pose): Vector {
  const aside = (u - cx) / f;
  const below = (v - cy) / f;
  const shorten = 1 / Math.sqrt(1 + aside * aside + below * below);
  return [
    (forward[0] + right[0] * aside + down[0] * below) * shorten,
    (forward[1] + right[1] * aside + down[1] * below) * shorten,
    (forward[2] + right[2] * aside + down[2] * below) * shorten,
  ];
}

/** Meets one pixel's ray with the scene. Keeps the numbers that all pixels share out of the loop. */
class PixelView {
  readonly #scene: Scene;
  readonly #frame: Frame;
  readonly #pose: Pose;
  readonly #buffer: GeometryBuffer;
  readonly #end: number;

  constructor(scene: Scene, frame: Frame, pose: Pose, buffer: GeometryBuffer) {
    this.#scene = scene;
    this.#frame = frame;
    this.#pose = pose;
    this.#buffer = buffer;
    this.#end = length3(...pose.C) + BOUNDING_RADIUS;
  }

  /** @param start mm along the ray that are known to be empty */
  shade(x: number, y: number, start: number): void {
    const ray = rayThrough(x + 0.5, y + 0.5, this.#frame, this.#pose);
    const { C, R } = this.#pose;
    const toPlate = meetPlate(C, ray);
    const toObject = marchRay(this.#scene.grid, C, ray, start, Math.min(toPlate, this.#end));
    const t = Math.min(toPlate, toObject);
    if (t === Number.POSITIVE_INFINITY) return;

    const point = addScaled(C, ray, t);
    const normal = toObject < toPlate ? objectNormal(this.#scene.grid, point) : plateNormal(point);
    const depth = t * dot(ray, R[2]);
    const buffer = this.#buffer;
    const pixel = (y - buffer.y) * buffer.width + x - buffer.x;
    const [px, py, pz] = point;
    const footprint = depth / this.#frame.f;
    this.#scene.texture.write(buffer.albedo, 3 * pixel, px, py, pz, footprint, toObject < toPlate ? 0 : 1);
    this.#light(pixel, point, normal, -dot(normal, ray), t);
    buffer.depth[pixel] = depth;
  }

  #light(pixel: number, point: Vector, normal: Vector, facing: number, distance: number): void {
    const cosine = Math.max(0, facing);
    const open = openness(this.#scene.grid, point, normal);
    const near = RING_REFERENCE_MM / distance;
    // A faint highlight: lamp and eye are in one place, so it shows where the surface faces the camera.
    const highlight = 0.05 * cosine ** 40;
    this.#buffer.ring[pixel] = (cosine + highlight) * near * near * (0.45 + 0.55 * open);
    this.#buffer.ambient[pixel] = (0.24 + 0.17 * normal[2]) * open;
  }
}

/** Distance along the ray to the object, or Infinity when it is not met before `end`. */
function marchRay(grid: DistanceGrid, from: Vector, ray: Vector, start: number, end: number): number {
  const [x, y, z] = from;
  const [dx, dy, dz] = ray;
  let t = start;
  for (let step = 0; step < MAX_STEPS && t < end; step++) {
    const free = grid.at(x + dx * t, y + dy * t, z + dz * t);
    if (free < CONTACT) return t + free * LAST_STEP;
    t += free;
  }
  return Number.POSITIVE_INFINITY;
}

/** Distance along the ray to the plate's top, rim or underside, or Infinity. */
function meetPlate(from: Vector, ray: Vector): number {
  const face = ray[2] < 0 ? PLATE.top : PLATE.bottom;
  const toFace = (face - from[2]) / ray[2];
  if (toFace > 0 && length2(from[0] + ray[0] * toFace, from[1] + ray[1] * toFace) <= PLATE.radius) {
    return toFace;
  }
  const a = ray[0] * ray[0] + ray[1] * ray[1];
  const b = from[0] * ray[0] + from[1] * ray[1];
  const root = b * b - a * (from[0] * from[0] + from[1] * from[1] - PLATE.radius * PLATE.radius);
  const toRim = root < 0 ? -1 : (-b - Math.sqrt(root)) / a;
  const z = from[2] + ray[2] * toRim;
  return toRim > 0 && z <= PLATE.top && z >= PLATE.bottom ? toRim : Number.POSITIVE_INFINITY;
}

function plateNormal([x, y, z]: Vector): Vector {
  if (z > PLATE.top - 1e-6) return [0, 0, 1];
  if (z < PLATE.bottom + 1e-6) return [0, 0, -1];
  return normalize([x, y, 0]);
}

/** Slope of the field at four corners of a tetrahedron around the point. */
function objectNormal(grid: DistanceGrid, [x, y, z]: Vector): Vector {
  const h = DistanceGrid.step;
  const a = grid.at(x + h, y - h, z - h);
  const b = grid.at(x - h, y - h, z + h);
  const c = grid.at(x - h, y + h, z - h);
  const d = grid.at(x + h, y + h, z + h);
  return normalize([a - b - c + d, -a - b + c + d, -a + b - c + d]);
}

/** 1 where nothing is near, down to 0 in creases and under the object: how much stray light arrives. */
function openness(grid: DistanceGrid, [x, y, z]: Vector, [nx, ny, nz]: Vector): number {
  return (
    1 -
    closedAt(2, grid, x + 2 * nx, y + 2 * ny, z + 2 * nz) -
    closedAt(7, grid, x + 7 * nx, y + 7 * ny, z + 7 * nz)
  );
}

function closedAt(reach: number, grid: DistanceGrid, x: number, y: number, z: number): number {
  const free = Math.min(grid.at(x, y, z) * LAST_STEP, plateDistance(x, y, z));
  return Math.min(0.5, Math.max(0, 1 - free / reach) * 0.55);
}
