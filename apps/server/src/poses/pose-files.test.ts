import { expect, test } from "vitest";
import { type Matrix, type Vector } from "./camera-pose.js";
import { omegaPhiKappa } from "./metashape.js";
import { type Placement, poseFiles } from "./pose-files.js";
import { posedPhoto, posesOf } from "./testing.js";

// Worked out by hand: on the x axis, on the y axis and at the pole, 100 mm from the origin.
const onX = posedPhoto("scan01_000.jpg", { theta: 90, fi: 0, r: 100 });
const onY = posedPhoto("scan01_001.jpg", { theta: 90, fi: 90, r: 100 });
const atPole = posedPhoto("scan01_002.jpg", { theta: 0, fi: 0, r: 100 });
const poses = posesOf(onX, onY, atPole);

function texts(format: Parameters<typeof poseFiles>[0], of = poses, placement?: Placement) {
  return Object.fromEntries(poseFiles(format, of, placement).map(({ name, text }) => [name, text]));
}

const near = (values: readonly number[]) => values.map((value) => expect.closeTo(value, 9) as number);
const half = Math.SQRT1_2;

test("COLMAP: world to camera, Hamilton quaternions with w first, an empty line for each image", () => {
  const files = texts("colmap");
  expect(Object.keys(files)).toEqual([
    "sparse/0/cameras.txt",
    "sparse/0/images.txt",
    "sparse/0/points3D.txt",
    "pairs.txt",
  ]);
  expect(files["sparse/0/cameras.txt"]).toBe("1 PINHOLE 1000 750 754 754 500 365\n");
  expect(files["sparse/0/points3D.txt"]).toBe("");
  const lines = (files["sparse/0/images.txt"] ?? "").split("\n");
  expect(lines.filter((_, index) => index % 2 === 1)).toEqual(["", "", ""]);
  const images = [0, 2, 4].map((index) => (lines[index] ?? "").split(" "));
  expect(images.map((image) => [image[0], ...image.slice(8)])).toEqual([
    ["1", "1", "scan01_000.jpg"],
    ["2", "1", "scan01_001.jpg"],
    ["3", "1", "scan01_002.jpg"],
  ]);
  const numbers = images.map((image) => image.slice(1, 8).map(Number));
  expect(numbers[0]).toEqual(near([0.5, 0.5, 0.5, -0.5, 0, 0, 100]));
  expect(numbers[1]).toEqual(near([0, 0, half, -half, 0, 0, 100]));
  expect(numbers[2]).toEqual(near([0, half, half, 0, 0, 0, 100]));
});

test("COLMAP: photos with other intrinsics have cameras of their own; those of unknown size are left out", () => {
  const zoomed = { width: 1000, height: 750, fx: 760, fy: 760, cx: 500, cy: 365, source: "camera" as const };
  const files = texts(
    "colmap",
    posesOf(onX, { ...onY, intrinsics: zoomed }, { ...atPole, intrinsics: null }),
  );
  expect(files["sparse/0/cameras.txt"]).toBe(
    "1 PINHOLE 1000 750 754 754 500 365\n2 PINHOLE 1000 750 760 760 500 365\n",
  );
  expect(files["sparse/0/images.txt"]).toMatch(/ 1 scan01_000.jpg\n\n2 .* 2 scan01_001.jpg\n\n$/);
});

test("COLMAP: pairs are of pictures that see something in common", () => {
  const views = Array.from({ length: 30 }, (_, step) =>
    posedPhoto(`${step}.jpg`, { theta: 90, fi: 12 * step, r: 100 }),
  );
  const pairs = (texts("colmap", posesOf(...views))["pairs.txt"] ?? "").trim().split("\n");
  // 12, 24, 36 and 48 degrees apart; 60 would be too far.
  expect(pairs).toHaveLength(30 * 4);
  expect(pairs).toContain("0.jpg 4.jpg");
  expect(pairs).not.toContain("0.jpg 5.jpg");
  expect(pairs).toContain("0.jpg 29.jpg");
});

test("transforms.json: camera to world, y up, looking along -z", () => {
  const json = JSON.parse(texts("transforms")["transforms.json"] ?? "") as {
    frames: { file_path: string; transform_matrix: number[][] }[];
  };
  expect(json).toMatchObject({
    camera_model: "OPENCV",
    ...{ fl_x: 754, fl_y: 754, cx: 500, cy: 365, w: 1000, h: 750 },
    ...{ k1: 0, k2: 0, p1: 0, p2: 0 },
  });
  expect(json.frames.map(({ file_path }) => file_path)).toEqual([
    "scan01_000.jpg",
    "scan01_001.jpg",
    "scan01_002.jpg",
  ]);
  expect(json.frames[0]?.transform_matrix.flat()).toEqual(
    near([0, 0, 1, 100, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1]),
  );
  expect(json.frames[1]?.transform_matrix.flat()).toEqual(
    near([-1, 0, 0, 0, 0, 0, 1, 100, 0, 1, 0, 0, 0, 0, 0, 1]),
  );
  expect(json.frames[2]?.transform_matrix.flat()).toEqual(
    near([0, -1, 0, 0, 1, 0, 0, 0, 0, 0, 1, 100, 0, 0, 0, 1]),
  );
});

test("transforms.json: intrinsics that differ stand with their frames", () => {
  const zoomed = { width: 1000, height: 750, fx: 760, fy: 760, cx: 500, cy: 365, source: "camera" as const };
  const json = JSON.parse(
    texts("transforms", posesOf(onX, { ...onY, intrinsics: zoomed }))["transforms.json"] ?? "",
  ) as { fl_x?: number; frames: { fl_x: number }[] };
  expect(json.fl_x).toBeUndefined();
  expect(json.frames.map(({ fl_x }) => fl_x)).toEqual([754, 760]);
});

/** The numbers of an element of XMP. */
const numbersOf = (xmp: string, name: string) =>
  (new RegExp(`<xcr:${name}>(.*)</xcr:${name}>`).exec(xmp)?.[1] ?? "").split(" ").map(Number);
const attribute = (xmp: string, name: string) => new RegExp(`xcr:${name}="(.*?)"`).exec(xmp)?.[1];

test("XMP: a sidecar beside each photo, its rotation row by row, its position as it is", () => {
  const files = texts("xmp");
  expect(Object.keys(files)).toEqual(["scan01_000.xmp", "scan01_001.xmp", "scan01_002.xmp"]);
  const xmp = files["scan01_000.xmp"] ?? "";
  expect(numbersOf(xmp, "Rotation")).toEqual(near([0, 1, 0, 0, 0, -1, -1, 0, 0]));
  expect(numbersOf(xmp, "Position")).toEqual(near([100, 0, 0]));
  expect(numbersOf(xmp, "DistortionCoeficients")).toEqual([0, 0, 0, 0, 0, 0]);
  expect(Number(attribute(xmp, "FocalLength35mm"))).toBeCloseTo(27.144, 9);
  expect(Number(attribute(xmp, "PrincipalPointU"))).toBe(0);
  expect(Number(attribute(xmp, "PrincipalPointV"))).toBeCloseTo(-0.01, 9);
  expect(attribute(xmp, "PosePrior")).toBe("initial");
  expect(xmp).not.toContain("locked");
  expect(numbersOf(files["scan01_002.xmp"] ?? "", "Rotation")).toEqual(near([0, 1, 0, 1, 0, 0, 0, 0, -1]));
});

test("XMP: a focal length that is only guessed is left to the program", () => {
  const guess = { width: 1000, height: 750, fx: 1200, fy: 1200, cx: 500, cy: 375, source: "guess" as const };
  for (const intrinsics of [guess, null]) {
    const xmp = texts("xmp", posesOf({ ...onX, intrinsics }))["scan01_000.xmp"] ?? "";
    expect(attribute(xmp, "FocalLength35mm")).toBeUndefined();
    expect(numbersOf(xmp, "Position")).toEqual(near([100, 0, 0]));
  }
});

test("Metashape: metres and degrees", () => {
  const [head, ...lines] = (texts("metashape")["metashape.csv"] ?? "").trim().split("\n");
  expect(head).toBe("#label,x_m,y_m,z_m,accuracy_m,omega_deg,phi_deg,kappa_deg");
  expect(lines.map((line) => line.split(",")[0])).toEqual(poses.photos.map(({ file }) => file));
  const numbers = lines.map((line) => line.split(",").slice(1).map(Number));
  expect(numbers[0]).toEqual(near([0.1, 0, 0, 0.001, 0, 90, 90]));
  expect(numbers[1]?.slice(0, 6)).toEqual(near([0, 0.1, 0, 0.001, -90, 0]));
  expect(Math.abs(numbers[1]?.[6] ?? 0)).toBeCloseTo(180, 9);
  expect(numbers[2]).toEqual(near([0, 0, 0.1, 0.001, 0, 0, 90]));
});

test("omega, phi and kappa turn back into the rotation they were made of", () => {
  for (let theta = 3; theta < 180; theta += 19) {
    for (let fi = 1; fi < 360; fi += 37) {
      const { rotation } = posedPhoto(
        "x.jpg",
        { theta, fi, r: 1 },
        { orientation_flag: [1, 3, 6, 8][fi % 4] ?? 1 },
      );
      const angles = omegaPhiKappa(rotation);
      const [right, down, forward] = rotation;
      const seen = rows(angles);
      for (const axis of [0, 1, 2] as const)
        expect(seen[axis]).toEqual(near([right[axis], -down[axis], -forward[axis]]));
    }
  }
});

function rows([o, p, k]: readonly [number, number, number]): Matrix {
  const product = (a: Matrix, b: Matrix): Matrix =>
    a.map((row) =>
      [0, 1, 2].map((c) => row[0] * b[0][c as 0] + row[1] * b[1][c as 0] + row[2] * b[2][c as 0]),
    ) as unknown as Matrix;
  const [so, co, sp, cp, sk, ck] = [o, p, k].flatMap((angle) => [Math.sin(angle), Math.cos(angle)]) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const x: Matrix = [
    [1, 0, 0],
    [0, co, -so],
    [0, so, co],
  ];
  const y: Matrix = [
    [cp, 0, sp],
    [0, 1, 0],
    [-sp, 0, cp],
  ];
  const z: Matrix = [
    [ck, -sk, 0],
    [sk, ck, 0],
    [0, 0, 1],
  ];
  return product(product(x, y), z);
}

test.each<[number, Vector, Vector]>([
  [1, [0, 1, 0], [0, 0, -1]],
  [3, [0, -1, 0], [0, 0, 1]],
  [6, [0, 0, -1], [0, -1, 0]],
  [8, [0, 0, 1], [0, 1, 0]],
])(
  "orientation %i: columns and rows of the stored pixels run as EXIF says",
  (orientation_flag, columns, stored) => {
    const { rotation } = posedPhoto("x.jpg", { theta: 90, fi: 0, r: 100 }, { orientation_flag });
    expect(rotation[0]).toEqual(near(columns));
    expect(rotation[1]).toEqual(near(stored));
    expect(rotation[2]).toEqual(near([-1, 0, 0]));
  },
);

test("photos that lie elsewhere are found there", () => {
  const stacked = posesOf({ ...onX, file: "stacked/stacked_scan01_000.jpg" });
  const flat: Placement = { photos: "../", flat: true };
  expect(texts("transforms", stacked)["transforms.json"]).toContain('"stacked/stacked_scan01_000.jpg"');
  expect(texts("transforms", stacked, flat)["transforms.json"]).toContain('"../stacked_scan01_000.jpg"');
  expect(texts("colmap", stacked)["sparse/0/images.txt"]).toContain(" stacked/stacked_scan01_000.jpg\n");
  expect(texts("colmap", stacked, flat)["sparse/0/images.txt"]).toContain(" stacked_scan01_000.jpg\n");
  expect(Object.keys(texts("xmp", stacked))).toEqual(["stacked/stacked_scan01_000.xmp"]);
  expect(Object.keys(texts("xmp", stacked, flat))).toEqual(["../stacked_scan01_000.xmp"]);
  expect(texts("metashape", stacked)["metashape.csv"]).toContain("\nstacked_scan01_000.jpg,");
});

test("what is to be known about the poses lies beside them", () => {
  const warned = { ...poses, warnings: ["one thing", "another"] };
  for (const format of ["colmap", "transforms", "xmp", "metashape"] as const) {
    expect(texts(format, warned)["poses_warnings.txt"]).toBe("one thing\nanother\n");
    expect(texts(format)["poses_warnings.txt"]).toBeUndefined();
  }
});
