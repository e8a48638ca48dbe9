import type { Intrinsics } from "@openscan/protocol";
import { cameraToWorld, type Matrix, type Vector } from "./camera-pose.js";
import type { PlacedPhoto } from "./placed-photo.js";

/**
 * `transforms.json` of nerfstudio and instant-ngp: camera to world with the axes of OpenGL (y up, looking along -z), the
 * world's z up.
 */
export function transformsJson(photos: readonly PlacedPhoto[]): string {
  const sized = photos.flatMap((photo) =>
    photo.intrinsics ? [{ ...photo, lens: lens(photo.intrinsics) }] : [],
  );
  const [first] = sized;
  const isShared = sized.every((photo) => JSON.stringify(photo.lens) === JSON.stringify(first?.lens));
  const transforms = {
    camera_model: "OPENCV",
    ...(isShared ? first?.lens : {}),
    k1: 0,
    k2: 0,
    p1: 0,
    p2: 0,
    frames: sized.map(({ path, rotation, position, lens }) => ({
      file_path: path,
      ...(isShared ? {} : lens),
      transform_matrix: openGlMatrix(rotation, position),
    })),
  };
  return `${JSON.stringify(transforms, null, 2)}\n`;
}

function lens({ width, height, fx, fy, cx, cy }: Intrinsics) {
  return { fl_x: fx, fl_y: fy, cx, cy, w: width, h: height };
}

function openGlMatrix(R: Matrix, C: Vector): number[][] {
  const rows = cameraToWorld(R).map(([right, down, forward], row) => [
    right,
    -down,
    -forward,
    C[row] as number,
  ]);
  return [...rows, [0, 0, 0, 1]];
}
