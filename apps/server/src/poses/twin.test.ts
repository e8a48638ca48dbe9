import { mkdtemp, mkdir, writeFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { renderDepth, surfaceDistance, surfacePoints, twinFrame } from "@openscan/hardware/simulated";
import { expect, onTestFinished, test } from "vitest";
import { readModel } from "../../test/support/colmap-model.js";
import { apply, type Matrix, transpose, type Vector } from "../../test/support/matrix.js";
import { poseFiles } from "./pose-files.js";
import { posedPhoto, posesOf } from "./testing.js";

/** What another program makes of an export: where a point of the world appears. */
interface Reader {
  readonly R: Matrix;
  readonly C: Vector;
  readonly f: number;
  readonly cx: number;
  readonly cy: number;
}

const radius = 110;
const [width, height] = [320, 240];
const settings = { crop_width: 12, crop_height: 6 };
const frame = twinFrame(width, height, settings);
const directions = [
  { theta: 12, fi: 40 },
  { theta: 60, fi: 200 },
  { theta: 95, fi: 325 },
  { theta: 120, fi: 80 },
];
const intrinsics = {
  width: frame.width,
  height: frame.height,
  fx: frame.f,
  fy: frame.f,
  cx: frame.cx,
  cy: frame.cy,
  source: "camera" as const,
};
// The plate looks the same at every azimuth and would hide a wrong one.
const points = surfacePoints(1500).filter(
  ([x, y, z]) => Math.hypot(x, y) < 30 && z > 0.5 && surfaceDistance([x, y, z]) < 1,
);

/** The same picture as another way of mounting the sensor stores it. */
const mountings = [1, 3, 6, 8] as const;

function poses(sign: 1 | -1, orientation_flag: number) {
  const turned = orientation_flag === 6 || orientation_flag === 8;
  const stored = {
    1: intrinsics,
    3: flipped(intrinsics),
    6: turnedLeft(intrinsics),
    8: turnedRight(intrinsics),
  };
  return posesOf(
    ...directions.map(({ theta, fi }, index) =>
      posedPhoto(
        `${index}.jpg`,
        { theta, fi: sign * fi, r: radius },
        {
          orientation_flag,
          intrinsics: {
            ...stored[orientation_flag as 1],
            ...(turned ? { width: frame.height, height: frame.width } : {}),
          },
        },
      ),
    ),
  );
}

// Pixel (u, v) of the upright picture is stored at …
const flipped = (k: typeof intrinsics) => ({ ...k, cx: k.width - k.cx, cy: k.height - k.cy });
const turnedLeft = (k: typeof intrinsics) => ({ ...k, cx: k.cy, cy: k.width - k.cx });
const turnedRight = (k: typeof intrinsics) => ({ ...k, cx: k.height - k.cy, cy: k.cx });
/** … and shows up again where EXIF has a viewer turn it to. */
const upright = {
  1: (u: number, v: number) => [u, v],
  3: (u: number, v: number) => [frame.width - u, frame.height - v],
  6: (u: number, v: number) => [frame.width - v, u],
  8: (u: number, v: number) => [v, frame.height - u],
} as const;

const text = (files: ReturnType<typeof poseFiles>, name: string) =>
  files.find((file) => file.name === name)?.text ?? "";

/** COLMAP's model, read by the reader that reads COLMAP's own. */
async function readColmap(of: ReturnType<typeof poses>): Promise<Reader[]> {
  const folder = await mkdtemp(join(tmpdir(), "openscan-poses-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const files = poseFiles("colmap", of);
  for (const { name, text } of files) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
  const [, , , f = 0, , cx = 0, cy = 0] = text(files, "sparse/0/cameras.txt")
    .split(/\s/)
    .slice(1)
    .map(Number);
  const { images } = await readModel(join(folder, "sparse/0"));
  return images.map(({ R, C }) => ({ R, C, f, cx, cy }));
}

async function readTransforms(of: ReturnType<typeof poses>): Promise<Reader[]> {
  const json = JSON.parse(text(poseFiles("transforms", of), "transforms.json")) as {
    fl_x: number;
    cx: number;
    cy: number;
    frames: { transform_matrix: number[][] }[];
  };
  return json.frames.map(({ transform_matrix: rows }) => {
    // y up and looking along -z, as the format says; turned back into y down and looking along z.
    const cameraToWorld = rows.slice(0, 3).map(([x = 0, y = 0, z = 0]) => [x, -y, -z]) as unknown as Matrix;
    const C = rows.slice(0, 3).map((row) => row[3]) as unknown as Vector;
    return { R: transpose(cameraToWorld), C, f: json.fl_x, cx: json.cx, cy: json.cy };
  });
}

async function readXmp(of: ReturnType<typeof poses>): Promise<Reader[]> {
  return poseFiles("xmp", of).map(({ text }, index) => {
    const numbers = (name: string) =>
      (new RegExp(`<xcr:${name}>(.*)<`).exec(text)?.[1] ?? "").split(" ").map(Number);
    const value = (name: string) => Number(new RegExp(`${name}="(.*?)"`).exec(text)?.[1]);
    const { width = 0, height = 0 } = of.photos[index]?.intrinsics ?? {};
    const longer = Math.max(width, height);
    const r = numbers("Rotation");
    return {
      R: [r.slice(0, 3), r.slice(3, 6), r.slice(6)] as unknown as Matrix,
      C: numbers("Position") as unknown as Vector,
      f: (value("FocalLength35mm") * longer) / 36,
      cx: width / 2 + value("PrincipalPointU") * longer,
      cy: height / 2 + value("PrincipalPointV") * longer,
    };
  });
}

/** How many points the twin shows, and for how many of them its depth is met within half a pixel. */
function meet(views: readonly Reader[], orientation: 1 | 3 | 6 | 8) {
  let [visible, met] = [0, 0];
  for (const [index, { theta, fi }] of directions.entries()) {
    const depth = renderDepth({ theta, fi, radiusMm: radius, width, height, settings });
    const { R, C, f, cx, cy } = views[index] as Reader;
    for (const [px, py, pz] of points) {
      const [x, y, z] = apply(R, [px - C[0], py - C[1], pz - C[2]]);
      const [u = 0, v = 0] = upright[orientation](cx + (f * x) / z, cy + (f * y) / z);
      const corner = Math.floor(v - 0.5) * frame.width + Math.floor(u - 0.5);
      const around = [0, 1, frame.width, frame.width + 1].map((step) => depth[corner + step] ?? 0);
      const behind = around.filter((value) => value < Number.POSITIVE_INFINITY);
      // What lies behind something nearer is not visible, and tells nothing.
      if (z > Math.max(...behind) + 0.3) continue;
      visible++;
      if (z >= Math.min(...around) - 0.02) met++;
    }
  }
  return { visible, met };
}

for (const [format, read] of Object.entries({
  colmap: readColmap,
  transforms: readTransforms,
  xmp: readXmp,
})) {
  test.each(mountings)(
    `${format}, orientation %i: surface points meet the twin's depth within half a pixel`,
    async (mounting) => {
      const { visible, met } = meet(await read(poses(1, mounting)), mounting);
      expect(visible).toBeGreaterThan(points.length * 0.8);
      expect(met / visible).toBeGreaterThan(0.99);
    },
  );

  test(`${format}: a mirrored turntable does not`, async () => {
    const right = meet(await read(poses(1, 1)), 1);
    const wrong = meet(await read(poses(-1, 1)), 1);
    expect(wrong.met).toBeLessThan(0.5 * right.met);
  });
}
