import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { align, transform } from "./alignment.js";
import { type Model, type PinholeCamera, readModel } from "./colmap-model.js";
import { distance, type Matrix, rotationBetween, type Vector, multiply, transpose } from "./matrix.js";

const run = promisify(execFile);

interface PlannedView {
  /** File name of the picture. */
  readonly name: string;
  /** World to camera: x right, y down, z forward. */
  readonly R: Matrix;
  /** Position of the camera in mm. */
  readonly C: Vector;
}

export interface ColmapInput {
  /** Holds the pictures, all of one size. */
  readonly images: string;
  /** An empty folder for COLMAP's files. */
  readonly work: string;
  readonly camera: PinholeCamera;
  readonly views: readonly PlannedView[];
  /** The scanner's export: a folder with a model that has poses and no points, and a list of pairs to be matched. */
  readonly exported: { readonly model: string; readonly pairs: string };
  /** Distance in mm of a point near the surface to it; the sign does not matter. */
  readonly surfaceDistance: (point: Vector) => number;
  readonly signal?: AbortSignal;
}

export interface PointQuality {
  readonly points: number;
  /** Mean over the points, in pixels. */
  readonly reprojectionPx: number;
  /** Mean number of pictures in which a point was found. */
  readonly trackLength: number;
  readonly surfaceMedianMm: number;
}

export interface ColmapResult extends PointQuality {
  /** Features per picture. */
  readonly features: readonly number[];
  /** How many separate reconstructions the mapper made; the figures below are of the largest. */
  readonly models: number;
  /** Pictures whose pose was found, of `views.length`. */
  readonly registered: number;
  /** Of the camera positions against the planned ones after alignment, in mm. */
  readonly rmseMm: number;
  readonly worstMm: number;
  readonly rotationRmseDeg: number;
  /** From the exported poses alone. */
  readonly triangulated: PointQuality;
}

const noPoses = {
  registered: 0,
  rmseMm: Number.POSITIVE_INFINITY,
  worstMm: Number.POSITIVE_INFINITY,
  rotationRmseDeg: Number.POSITIVE_INFINITY,
};

const nothing: PointQuality = {
  points: 0,
  reprojectionPx: Number.POSITIVE_INFINITY,
  trackLength: 0,
  surfaceMedianMm: Number.POSITIVE_INFINITY,
};

export async function hasColmap(): Promise<boolean> {
  try {
    await colmap(["help"]);
    return true;
  } catch {
    return false;
  }
}

/**
 * Reconstructs the pictures with COLMAP and compares the result with the planned poses. Where it finds
 * nothing, counts are 0 and errors Infinity, so that limits fail.
 *
 * @throws Error with COLMAP's last output when a step other than the mapper fails
 */
export async function runColmap(input: ColmapInput): Promise<ColmapResult> {
  const features = await extractFeatures(input);
  await matchPairs(input);
  const models = await map(input);
  const triangulated = await triangulate(input, input.exported.model);
  const [largest] = [...models].sort((a, b) => b.images.length - a.images.length);
  if (!largest) {
    return { features, models: 0, ...noPoses, ...nothing, triangulated };
  }
  return { features, models: models.length, ...comparePoses(largest, input), triangulated };
}

/**
 * Points from exported poses alone, for pictures that `runColmap` has matched.
 *
 * @param model folder with the export
 */
export async function triangulate(input: ColmapInput, model: string): Promise<PointQuality> {
  const output = await mkdtemp(join(input.work, "triangulated-"));
  try {
    await colmap(
      ["point_triangulator", ...database(input), "--image_path", input.images]
        .concat(["--input_path", model, "--output_path", output])
        // The ids of the pictures become those of the database, by their names.
        .concat(["--clear_points", "1"])
        .concat(["--Mapper.ba_refine_focal_length", "0", "--Mapper.ba_refine_extra_params", "0"]),
      input.signal,
    );
  } catch (cause) {
    // COLMAP 3.8 aborts where it should say that there is not a single point to adjust.
    if (String(cause).includes("bundle_adjuster.Solve")) return nothing;
    throw cause;
  }
  const triangulated = await asText(output, input.signal);
  return judgePoints(triangulated, input.surfaceDistance);
}

/** @returns how many each picture has */
async function extractFeatures(input: ColmapInput): Promise<number[]> {
  const { f, cx, cy } = input.camera;
  const log = await colmap(
    ["feature_extractor", ...database(input), "--image_path", input.images]
      .concat(["--ImageReader.single_camera", "1", "--ImageReader.camera_model", "PINHOLE"])
      .concat(["--ImageReader.camera_params", [f, f, cx, cy].join()])
      .concat(["--SiftExtraction.use_gpu", "0", "--SiftExtraction.first_octave", "-1"]),
    input.signal,
  );
  return [...log.matchAll(/Features:\s+(\d+)/g)].map(([, count]) => Number(count));
}

async function matchPairs(input: ColmapInput): Promise<void> {
  await colmap(
    ["matches_importer", ...database(input), "--match_type", "pairs"].concat([
      "--match_list_path",
      input.exported.pairs,
      "--SiftMatching.use_gpu",
      "0",
    ]),
    input.signal,
  );
}

async function map(input: ColmapInput): Promise<Model[]> {
  const output = join(input.work, "sparse");
  await mkdir(output);
  try {
    await colmap(
      ["mapper", ...database(input), "--image_path", input.images, "--output_path", output].concat([
        "--Mapper.ba_refine_focal_length",
        "0",
        "--Mapper.ba_refine_extra_params",
        "0",
      ]),
      input.signal,
    );
  } catch (cause) {
    input.signal?.throwIfAborted();
    // The mapper also exits with an error when it finds no model at all; that is a result here.
    if ((await readdir(output)).length > 0) throw cause;
  }
  const folders = (await readdir(output)).sort();
  return Promise.all(folders.map((folder) => asText(join(output, folder), input.signal)));
}

async function asText(folder: string, signal: AbortSignal | undefined): Promise<Model> {
  await colmap(
    ["model_converter", "--input_path", folder, "--output_path", folder, "--output_type", "TXT"],
    signal,
  );
  return readModel(folder);
}

function comparePoses(model: Model, { views, surfaceDistance }: ColmapInput) {
  const planned = new Map(views.map((view) => [view.name, view]));
  const found = model.images.map((image) => ({ image, plan: planned.get(image.name) as PlannedView }));
  const alignment = align(
    found.map(({ image }) => image.C),
    found.map(({ plan }) => plan.C),
  );
  const shifts = found.map(({ image, plan }) => distance(transform(alignment, image.C), plan.C));
  const turns = found.map(({ image, plan }) =>
    rotationBetween(multiply(image.R, transpose(alignment.rotation)), plan.R),
  );
  return {
    registered: found.length,
    rmseMm: rootMeanSquare(shifts),
    worstMm: Math.max(...shifts),
    rotationRmseDeg: rootMeanSquare(turns),
    ...judgePoints(model, (point) => surfaceDistance(transform(alignment, point))),
  };
}

function judgePoints({ points }: Model, surfaceDistance: (point: Vector) => number): PointQuality {
  if (points.length === 0) return nothing;
  const away = points.map(({ position }) => Math.abs(surfaceDistance(position))).sort((a, b) => a - b);
  return {
    points: points.length,
    reprojectionPx: mean(points.map(({ error }) => error)),
    trackLength: mean(points.map(({ views }) => views)),
    surfaceMedianMm: away[away.length >> 1] as number,
  };
}

function database({ work }: ColmapInput): string[] {
  return ["--database_path", join(work, "colmap.db")];
}

/** @returns what COLMAP printed */
async function colmap(args: readonly string[], signal?: AbortSignal): Promise<string> {
  const options = {
    // Without a display, Qt would refuse to start.
    env: { ...process.env, QT_QPA_PLATFORM: "offscreen" },
    maxBuffer: 64 * 2 ** 20,
    ...(signal ? { signal } : {}),
  };
  try {
    const { stdout, stderr } = await run("colmap", args, options);
    return stdout + stderr;
  } catch (cause) {
    const { stdout = "", stderr = "" } = cause as { stdout?: string; stderr?: string };
    signal?.throwIfAborted();
    throw new Error(`colmap ${args[0]} failed: ${(stdout + stderr).slice(-4000)}`, { cause });
  }
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function rootMeanSquare(values: readonly number[]): number {
  return Math.sqrt(mean(values.map((value) => value * value)));
}
