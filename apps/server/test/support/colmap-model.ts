import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { apply, fromQuaternion, type Matrix, type Quaternion, transpose, type Vector } from "./matrix.js";

/** Text formats: https://colmap.github.io/format.html */

interface ModelImage {
  readonly id: number;
  readonly name: string;
  /** World to camera: x right, y down, z forward. */
  readonly R: Matrix;
  readonly C: Vector;
}

interface ModelPoint {
  readonly position: Vector;
  /** Mean reprojection error in pixels. */
  readonly error: number;
  /** In how many images it was found. */
  readonly views: number;
}

export interface Model {
  readonly images: readonly ModelImage[];
  readonly points: readonly ModelPoint[];
}

export interface PinholeCamera {
  readonly width: number;
  readonly height: number;
  readonly f: number;
  readonly cx: number;
  readonly cy: number;
}

export async function readModel(folder: string): Promise<Model> {
  const images = await readFile(join(folder, "images.txt"), "utf8");
  const points = await readFile(join(folder, "points3D.txt"), "utf8");
  return {
    // Each image has a second line with its features, which may be empty.
    images: contentLines(images)
      .filter((line, index) => index % 2 === 0 && line !== "")
      .map(parseImage),
    points: contentLines(points)
      .filter((line) => line !== "")
      .map(parsePoint),
  };
}

function contentLines(text: string): string[] {
  return text.split("\n").filter((line) => !line.startsWith("#"));
}

function parseImage(line: string): ModelImage {
  const [id, w, x, y, z, tx, ty, tz, , ...name] = line.split(" ");
  const R = fromQuaternion([w, x, y, z].map(Number) as unknown as Quaternion);
  const [cx, cy, cz] = apply(transpose(R), [Number(tx), Number(ty), Number(tz)]);
  return { id: Number(id), name: name.join(" "), R, C: [-cx, -cy, -cz] };
}

function parsePoint(line: string): ModelPoint {
  const [, x, y, z, , , , error, ...track] = line.split(" ").map(Number);
  return { position: [x, y, z] as unknown as Vector, error: error as number, views: track.length / 2 };
}
