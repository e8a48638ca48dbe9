import { z } from "zod";
import { CameraSettings, ImageFormat } from "./camera.js";
import { defineEndpoint, filledIn } from "./endpoint.js";
import { DeleteResponse, Timestamp } from "./scalars.js";
import { Task, TaskStatus } from "./task.js";

export const PathMethod = z.enum(["fibonacci"]);
export type PathMethod = z.output<typeof PathMethod>;

export const PolarPoint = z.object({
  theta: z.number().describe("degrees from the north pole"),
  fi: z.number().describe("azimuth in degrees"),
  r: z.number().default(1).describe("mm"),
});
export type PolarPoint = z.output<typeof PolarPoint>;

export const CartesianPoint = z.object({ x: z.number(), y: z.number(), z: z.number() });
export type CartesianPoint = z.output<typeof CartesianPoint>;

const theta = z.number().min(0).max(180);
const phi = z.number().min(0).max(360).nullable();
const dioptres = z.number().min(0).max(15);

export const ScanSettings = z.object({
  path_method: PathMethod.default("fibonacci"),
  points: z.int().min(1).max(999).default(130),
  image_format: ImageFormat.default("jpeg"),
  min_theta: theta.default(12).describe("degrees"),
  max_theta: theta.default(125).describe("degrees"),
  min_phi: phi.default(0).describe("degrees"),
  max_phi: phi.default(360).describe("degrees"),
  optimize_path: z.boolean().default(true),
  optimization_algorithm: z.string().default("nearest_neighbor").describe("nearest_neighbor or none"),
  focus_stacks: z.int().min(1).max(99).default(1),
  pause_before_capture_ms: z.int().min(0).default(0),
  focus_range: z.tuple([dioptres, dioptres]).default([10, 15]).describe("dioptres"),
});
export type ScanSettings = z.output<typeof ScanSettings>;

/** Settings of a scan that is about to start: stricter than what older project files may hold. */
export const ScanRequest = ScanSettings.refine((scan) => scan.min_theta <= scan.max_theta, {
  path: ["min_theta"],
  error: "min_theta must not be greater than max_theta",
})
  .refine((scan) => ["nearest_neighbor", "none"].includes(scan.optimization_algorithm), {
    path: ["optimization_algorithm"],
    error: "optimization_algorithm must be nearest_neighbor or none",
  })
  .refine((scan) => scan.pause_before_capture_ms <= 600_000, {
    path: ["pause_before_capture_ms"],
    error: "pause_before_capture_ms must not be greater than 600000",
  });

export const StackingTaskStatus = z.object({
  task_id: z.string().nullable().default(null),
  status: TaskStatus.nullable().default(null),
});
export type StackingTaskStatus = z.output<typeof StackingTaskStatus>;

export const Scan = z.object({
  project_name: z.string(),
  index: z.int(),
  created: Timestamp.meta(filledIn),
  status: TaskStatus.default("pending"),
  settings: ScanSettings,
  camera_name: z.string().nullable().default(null),
  camera_settings: CameraSettings.describe("as they were when the scan was created"),
  current_step: z.int().default(0).describe("positions finished, in execution order"),
  system_message: z.string().nullable().default(null),
  last_updated: Timestamp.meta(filledIn),
  description: z.string().nullable().default(null),
  duration: z.number().default(0).describe("s"),
  total_size_bytes: z.int().min(0).default(0),
  stacked_size_bytes: z.int().min(0).default(0),
  photos: z
    .array(z.string())
    .default([])
    .meta({ default: undefined, description: "paths relative to the scan, in capture order" }),
  task_id: z.string().nullable().default(null),
  stacking_task_status: StackingTaskStatus.nullable().default(null),
});
export type Scan = z.output<typeof Scan>;

export const ScanPath = z.object({
  project_name: z.string(),
  scan_index: z.int(),
  generated: Timestamp,
  points: z.array(
    z.object({
      execution_step: z.int(),
      original_step: z.int(),
      polar: PolarPoint,
      cartesian: CartesianPoint,
    }),
  ),
});
export type ScanPath = z.output<typeof ScanPath>;

/** The JSON file beside each photo. */
export const PhotoMetadata = z.object({
  format: ImageFormat,
  camera_metadata: z.object({
    camera_name: z.string(),
    camera_settings: CameraSettings,
    raw_metadata: z.record(z.string(), z.unknown()),
  }),
  scan_metadata: z
    .object({
      step: z.int(),
      polar_coordinates: PolarPoint,
      project_name: z.string(),
      scan_index: z.int(),
      stack_index: z.int().nullable(),
      cart_coordinates: CartesianPoint,
    })
    .nullable(),
});
export type PhotoMetadata = z.output<typeof PhotoMetadata>;

export const ScanAddress = z.object({
  project_name: z.string(),
  scan_index: z.int().min(0).meta({ minimum: undefined }),
});

export const startScan = defineEndpoint({
  operationId: "add_scan_with_description",
  method: "post",
  path: "/projects/{project_name}/scan",
  params: z.object({ project_name: z.string() }),
  query: z.object({ camera_name: z.string(), scan_description: z.string().nullable().default("") }),
  body: ScanRequest,
  describes: "tasks",
  response: Task,
});
export const getScan = defineEndpoint({
  operationId: "get_scan",
  method: "get",
  path: "/projects/{project_name}/scans/{scan_index}",
  params: ScanAddress,
  response: Scan,
});
export const deleteScan = defineEndpoint({
  operationId: "delete_scan",
  method: "delete",
  path: "/projects/{project_name}/scans/{scan_index}",
  params: ScanAddress,
  response: DeleteResponse,
});
export const getScanStatus = defineEndpoint({
  operationId: "get_scan_status",
  method: "get",
  path: "/projects/{project_name}/scans/{scan_index}/status",
  params: ScanAddress,
  describes: "tasks",
  response: Task,
});
export const getScanPath = defineEndpoint({
  operationId: "get_scan_path",
  method: "get",
  path: "/projects/{project_name}/scans/{scan_index}/path",
  params: ScanAddress,
  response: ScanPath,
});
export const pauseScan = defineEndpoint({
  operationId: "pause_scan",
  method: "patch",
  path: "/projects/{project_name}/scans/{scan_index}/pause",
  params: ScanAddress,
  describes: "tasks",
  response: Task,
});
export const resumeScan = defineEndpoint({
  operationId: "resume_scan",
  method: "patch",
  path: "/projects/{project_name}/scans/{scan_index}/resume",
  params: ScanAddress,
  query: z.object({ camera_name: z.string() }),
  describes: "tasks",
  response: Task,
});
export const cancelScan = defineEndpoint({
  operationId: "cancel_scan",
  method: "patch",
  path: "/projects/{project_name}/scans/{scan_index}/cancel",
  params: ScanAddress,
  describes: "tasks",
  response: Task,
});
export const deletePhotos = defineEndpoint({
  operationId: "delete_photos",
  method: "delete",
  path: "/projects/{project_name}/{scan_index}/photos",
  params: ScanAddress,
  query: z.object({
    photo_filenames: z.array(z.string()).describe("entries of the scan's `photos`; others are ignored"),
  }),
  response: DeleteResponse,
});
export const getScanPhoto = defineEndpoint({
  operationId: "get_scan_photo",
  method: "get",
  path: "/projects/{project_name}/{scan_index}/photo",
  params: ScanAddress,
  query: z.object({ filename: z.string(), file_only: z.boolean().default(false) }),
  response: z.object({
    project_name: z.string(),
    scan_index: z.int(),
    filename: z.string(),
    content_type: z.string(),
    size_bytes: z.int(),
    metadata: z.record(z.string(), z.unknown()).nullable().meta(filledIn),
    photo_data: z.string().describe("base64"),
  }),
});
