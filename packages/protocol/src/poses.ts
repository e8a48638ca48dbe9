import { z } from "zod";
import { defineEndpoint } from "./endpoint.js";
import { Timestamp } from "./scalars.js";
import { ScanAddress } from "./scan.js";

/**
 * Which way the camera goes around the object when the turntable's angle grows, seen from above: 1 for the azimuth's
 * own direction (counter-clockwise), -1 for the other one.
 */
export const TurntableSign = z
  .int()
  .min(-1)
  .max(1)
  .refine((sign) => sign !== 0, "must be 1 or -1");

const Vector = z.tuple([z.number(), z.number(), z.number()]);

/** A pinhole camera in pixels of the photo as it is stored; the middle of the first pixel is at 0.5, 0.5. */
export const Intrinsics = z.object({
  width: z.int(),
  height: z.int(),
  fx: z.number(),
  fy: z.number(),
  cx: z.number(),
  cy: z.number(),
  source: z
    .enum(["camera", "exif", "guess"])
    .describe("who says so; a guess is 1.2 times the longer side, as COLMAP starts with"),
});
export type Intrinsics = z.output<typeof Intrinsics>;

export const PosedPhoto = z.object({
  file: z.string().describe("path relative to the scan"),
  step: z.int().describe("place of the position in the path as generated"),
  stack_index: z.int().nullable(),
  theta: z.number().describe("of the rotor, degrees from the north pole"),
  fi: z.number().describe("of the turntable, degrees"),
  r: z.number().describe("mm"),
  measured: z
    .boolean()
    .describe("whether the angles are those at which the motors stood, not those asked for"),
  rotation: z
    .tuple([Vector, Vector, Vector])
    .describe("world to camera: rows right, down and forward, in the photo as it is stored"),
  position: Vector.describe("of the lens in mm; the object stands still, its turntable's axis is z"),
  intrinsics: Intrinsics.nullable(),
  orientation_flag: z.int().describe("EXIF orientation; the photo's pixels are not rotated"),
});
export type PosedPhoto = z.output<typeof PosedPhoto>;

/** `poses.json` of a scan: where its camera stood for each photo. */
export const ScanPoses = z.object({
  version: z.literal(1),
  project_name: z.string(),
  scan_index: z.int(),
  generated: Timestamp,
  units: z.literal("mm"),
  turntable_sign: TurntableSign,
  warnings: z.array(z.string()),
  photos: z.array(PosedPhoto),
});
export type ScanPoses = z.output<typeof ScanPoses>;

/** For which program poses are written. */
export const PoseFormat = z.enum(["colmap", "transforms", "xmp", "metashape"]);
export type PoseFormat = z.output<typeof PoseFormat>;

export const getScanPoses = defineEndpoint({
  operationId: "get_scan_poses",
  method: "get",
  path: "/projects/{project_name}/scans/{scan_index}/poses",
  params: ScanAddress,
  query: z.object({
    format: z
      .enum(["poses", ...PoseFormat.options])
      .default("poses")
      .describe("poses: this JSON; others are downloads, colmap and xmp as ZIP archives"),
    prefer_stacked_photos: z.boolean().default(false),
    turntable_sign: TurntableSign.optional().describe("instead of the device's own"),
  }),
  response: ScanPoses,
});
