import type { Intrinsics } from "@openscan/protocol";
import { dot, type Matrix, type Vector } from "./camera-pose.js";
import type { PlacedPhoto, PoseFile } from "./placed-photo.js";

interface ColmapPhoto extends PlacedPhoto {
  readonly intrinsics: Intrinsics;
}

/**
 * A model of COLMAP's text format, with poses and no points yet, and a list of the pairs of pictures that are worth
 * comparing: https://colmap.github.io/format.html
 */
export function colmapFiles(photos: readonly PlacedPhoto[]): PoseFile[] {
  const sized = photos.filter((photo): photo is ColmapPhoto => photo.intrinsics !== null);
  const cameras = [...new Set(sized.map(cameraLine))];
  return [
    { name: "sparse/0/cameras.txt", text: cameras.map((line, index) => `${index + 1} ${line}\n`).join("") },
    {
      name: "sparse/0/images.txt",
      // The second line of each image is for its features, and stays empty.
      text: sized
        .map((photo, index) => `${imageLine(photo, index + 1, cameras.indexOf(cameraLine(photo)) + 1)}\n\n`)
        .join(""),
    },
    { name: "sparse/0/points3D.txt", text: "" },
    { name: "pairs.txt", text: pairs(sized).join("") },
  ];
}

function cameraLine({ intrinsics: { width, height, fx, fy, cx, cy } }: ColmapPhoto): string {
  return ["PINHOLE", width, height, fx, fy, cx, cy].join(" ");
}

function imageLine({ rotation, position, name }: ColmapPhoto, id: number, camera: number): string {
  const translation = rotation.map((row) => -dot(row, position));
  return [id, ...quaternion(rotation), ...translation, camera, name].join(" ");
}

/** Pictures from nearly opposite sides share nothing, and comparing them is what costs the most. */
function pairs(photos: readonly ColmapPhoto[]): string[] {
  // Of the same sphere, more pictures have nearer neighbours: this leaves each of them about as many.
  const smallestCosine = Math.cos((Math.min(180, 58 * Math.sqrt(30 / photos.length)) * Math.PI) / 180);
  return photos.flatMap((a, index) =>
    photos
      .slice(index + 1)
      .filter((b) => dot(a.rotation[2], b.rotation[2]) >= smallestCosine)
      .map((b) => `${a.name} ${b.name}\n`),
  );
}

/** w, x, y, z. The largest of the four is taken from the diagonal, so that the division is never by nearly nothing. */
function quaternion([[xx, xy, xz], [yx, yy, yz], [zx, zy, zz]]: Matrix): readonly number[] {
  const squares = [1 + xx + yy + zz, 1 + xx - yy - zz, 1 - xx + yy - zz, 1 - xx - yy + zz];
  const largest = squares.indexOf(Math.max(...squares));
  const double = Math.sqrt(squares[largest] as number);
  const scale = 0.5 / double;
  const [wx, wy, wz] = ([zy - yz, xz - zx, yx - xy] as Vector).map((value) => value * scale);
  const [both, cross, side] = ([xy + yx, xz + zx, yz + zy] as Vector).map((value) => value * scale);
  const half = double / 2;
  const four = [
    [half, wx, wy, wz],
    [wx, half, both, cross],
    [wy, both, half, side],
    [wz, cross, side, half],
  ][largest] as number[];
  // One of the two quaternions of a rotation: the one that turns by less.
  const sign = (four[0] as number) < 0 ? -1 : 1;
  return four.map((value) => sign * value);
}
