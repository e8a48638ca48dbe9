import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import {
  cameraPose,
  project,
  renderDepth,
  surfaceDistance,
  surfacePoints,
  twinIntrinsics,
} from "@openscan/hardware/simulated";
import { PhotoMetadata, type PolarPoint, type ScanPath } from "@openscan/protocol";
import sharp from "sharp";
import { expect, test } from "vitest";
import { readZip } from "../src/zip/testing.js";
import { type Api, became } from "./support/api.js";
import { hasColmap, runColmap, triangulate } from "./support/colmap.js";
import { quickConfiguration } from "./support/folder.js";
import { startServer } from "./support/in-process.js";

const radius = 110;
const [width, height] = [640, 480];
const camera = twinIntrinsics(width, height);

interface Photo {
  readonly name: string;
  readonly jpeg: Uint8Array;
  readonly planned: { theta: number; fi: number; r: number };
  readonly metadata: PhotoMetadata;
}

/** A server that has made a 30-point scan. */
async function scanThirty(): Promise<Api> {
  const configuration = await quickConfiguration();
  for (const motor of Object.values(configuration.motors))
    Object.assign(motor, { steps_per_rotation: 42_667 });
  Object.assign(configuration.motors["turntable"] ?? {}, { steps_per_rotation: 3200 });
  const { api } = await startServer(configuration);
  await api.call("PATCH", "/latest/cameras/simulated_camera/settings", {
    photo_resolution: [width, height],
    jpeg_quality: 90,
  });
  const tasks = await api.listen("tasks");
  const { id } = await api.startScan("vase", { points: 30 });
  await tasks.find(became(id, "completed"));
  return api;
}

/** The plan of the scan, by the names of its photos. */
async function plannedViews(api: Api): Promise<Map<string, PolarPoint>> {
  const { points } = (await api.call<ScanPath>("GET", "/latest/projects/vase/scans/1/path")).body;
  return new Map(
    points.map(({ original_step, polar }) => [`scan01_${String(original_step).padStart(3, "0")}.jpg`, polar]),
  );
}

/** Photos, plan and metadata, as a user would download them. */
async function photosOf(api: Api): Promise<Photo[]> {
  const views = await plannedViews(api);
  const files = new Map(
    readZip(Buffer.from(await api.bytes("/latest/projects/vase/scans/zip?scan_indices=1"))).map(
      ({ name, bytes }) => [name, bytes],
    ),
  );
  return [...views].map(([name, planned]) => {
    const file = (path: string) => files.get(`scan01/${path}`) ?? Buffer.alloc(0);
    const metadata = file(`metadata/${name.replace("jpg", "json")}`).toString();
    return { name, jpeg: file(name), planned, metadata: PhotoMetadata.parse(JSON.parse(metadata)) };
  });
}

test("surface points projected with the planned poses meet the rendered depth and the lit pixels", async () => {
  const photos = await photosOf(await scanThirty());
  expect(photos).toHaveLength(30);
  const surface = surfacePoints(400);
  const errors: number[] = [];
  const lit = { surface: 0, surfaceBright: 0, background: 0, backgroundDark: 0 };
  for (const { jpeg, planned, metadata } of photos) {
    expect(planned.r).toBe(radius);
    const { theta, fi } = metadata.camera_metadata.raw_metadata["actual_position"] as {
      theta: number;
      fi: number;
    };
    const depth = renderDepth({ theta, fi, radiusMm: radius, width, height });
    const image = await sharp(jpeg).greyscale().raw().toBuffer();
    for (const point of surface) {
      const plan = project(point, cameraPose(planned.theta, planned.fi, radius), camera);
      const real = project(point, cameraPose(theta, fi, radius), camera);
      const pixel = Math.floor(real.v) * width + Math.floor(real.u);
      // Only what this camera sees: nothing of the object lies before the point.
      if (!(Math.abs((depth[pixel] ?? 0) - real.depth) < 0.3)) continue;
      errors.push(Math.hypot(plan.u - real.u, plan.v - real.v));
      lit.surface++;
      if ((image[Math.floor(plan.v) * width + Math.floor(plan.u)] ?? 0) > 20) lit.surfaceBright++;
    }
    for (let pixel = 0; pixel < depth.length; pixel += 997) {
      if (nearSurface(depth, pixel)) continue;
      lit.background++;
      if ((image[pixel] ?? 255) < 20) lit.backgroundDark++;
    }
  }
  expect(errors.length).toBeGreaterThan(1000);
  expect(Math.max(...errors)).toBeLessThan(0.5);
  expect(lit.surfaceBright / lit.surface).toBeGreaterThan(0.95);
  expect(lit.background).toBeGreaterThan(1000);
  expect(lit.backgroundDark / lit.background).toBeGreaterThan(0.99);
}, 120_000);

/** Whether a surface lies within 3 pixels, where focus blurs the outline. */
function nearSurface(depth: Float32Array, pixel: number): boolean {
  for (let dy = -3; dy <= 3; dy++)
    for (let dx = -3; dx <= 3; dx++)
      if (Number.isFinite(depth[pixel + dy * width + dx] ?? Number.POSITIVE_INFINITY)) return true;
  return false;
}

const colmapMissing = (await hasColmap()) ? "" : " (skipped: colmap is not installed)";

test.skipIf(colmapMissing !== "")(
  `COLMAP reconstructs a 30-point scan within the limits${colmapMissing}`,
  async ({ onTestFinished, annotate }) => {
    const api = await scanThirty();
    const root = await mkdtemp(join(tmpdir(), "openscan-colmap-"));
    onTestFinished(() => rm(root, { recursive: true }));
    const unpack = async (folder: string, path: string) => {
      for (const { name, bytes } of readZip(Buffer.from(await api.bytes(path)))) {
        await mkdir(dirname(join(root, folder, name)), { recursive: true });
        await writeFile(join(root, folder, name), bytes);
      }
    };
    // What a user would do: photos with poses in one download; nothing else of the scanner enters.
    await unpack("images", "/latest/projects/vase/zip?photos_only=true&with_poses=colmap");
    const poses = "/latest/projects/vase/scans/1/poses?format=colmap";
    await unpack("mirrored", `${poses}&turntable_sign=-1`);
    const exported = join(root, "images/scan01");
    const work = join(root, "work");
    await mkdir(work);
    const views = [...(await plannedViews(api))].map(([name, { theta, fi }]) => ({
      name,
      ...cameraPose(theta, fi, radius),
    }));
    const input = {
      images: join(root, "images"),
      work,
      camera: { ...camera, width, height },
      views,
      exported: { model: join(exported, "sparse/0"), pairs: join(exported, "pairs.txt") },
      surfaceDistance: (point: readonly [number, number, number]) => surfaceDistance(point),
    };
    const result = await runColmap(input);
    const mirrored = await triangulate(input, join(root, "mirrored/sparse/0"));
    const { features, ...figures } = result;
    await annotate(JSON.stringify({ ...figures, features: Math.min(...features), mirrored }));

    expect(result.models).toBe(1);
    expect(result.registered).toBeGreaterThanOrEqual(29);
    expect(result.rmseMm).toBeLessThanOrEqual(0.01 * radius);
    expect(result.worstMm).toBeLessThanOrEqual(0.02 * radius);
    expect(result.rotationRmseDeg).toBeLessThanOrEqual(0.5);
    expect(result.reprojectionPx).toBeLessThanOrEqual(0.6);
    expect(result.points).toBeGreaterThanOrEqual(1000);
    expect(result.trackLength).toBeGreaterThanOrEqual(3);
    expect(result.surfaceMedianMm).toBeLessThanOrEqual(0.2);
    expect(result.triangulated.points).toBeGreaterThanOrEqual(1000);
    expect(result.triangulated.reprojectionPx).toBeLessThanOrEqual(0.5);
    // A turntable that turns the other way must not pass for a right one.
    expect(mirrored.points < 1000 || mirrored.reprojectionPx > 0.5).toBe(true);
  },
  400_000,
);
