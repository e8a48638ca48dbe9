import { z } from "zod";
import { type ApiVersion, defineEndpoint } from "./endpoint.js";
import { settingsEndpoints } from "./settings-endpoints.js";

export const CameraType = z.enum(["picamera2", "gphoto2", "linuxpy"]);
export type CameraType = z.output<typeof CameraType>;

/** Image formats of the API; which of them a camera can deliver depends on its driver. */
export const ImageFormat = z.enum(["jpeg", "raw", "dng", "rgb_array", "yuv_array"]);
export type ImageFormat = z.output<typeof ImageFormat>;

const Resolution = z.tuple([z.int(), z.int()]);
const pixels = z.int().min(0);
const factor = z.number().min(0).max(32);
const percent = z.int().min(0).max(100);

export const CameraSettings = z.object({
  shutter: z.number().min(0.001).max(435_918.849).nullable().default(50).describe("ms"),
  saturation: factor.nullable().default(1),
  contrast: factor.nullable().default(1),
  awbg_red: factor.nullable().default(1.8).describe("white balance gain"),
  awbg_blue: factor.nullable().default(1.8).describe("white balance gain"),
  gain: factor.nullable().default(1).describe("analogue gain"),
  jpeg_quality: percent.nullable().default(90),
  AF: z.boolean().nullable().default(true).describe("autofocus; overrides manual_focus"),
  AF_window: z
    .tuple([pixels, pixels, pixels, pixels])
    .nullable()
    .default(null)
    .describe("[x, y, w, h] in pixels"),
  manual_focus: z.number().min(0).max(15).nullable().default(12).describe("dioptres"),
  crop_width: percent.nullable().default(10).describe("percent removed, centred"),
  crop_height: percent.nullable().default(10).describe("percent removed, centred"),
  orientation_flag: z.int().min(1).max(9).nullable().default(8).describe("EXIF orientation"),
  preview_resolution: Resolution.nullable()
    .default(null)
    .describe("[width, height] in pixels; null = the driver's choice"),
  photo_resolution: Resolution.nullable()
    .default(null)
    .describe("[width, height] in pixels; null = the driver's choice"),
});
export type CameraSettings = z.output<typeof CameraSettings>;

export const CameraStatus = z.object({
  name: z.string(),
  type: CameraType,
  busy: z.boolean(),
  settings: CameraSettings,
});
export type CameraStatus = z.output<typeof CameraStatus>;

const CameraName = z.object({ camera_name: z.string() });

export const listCameras = defineEndpoint({
  operationId: "get_cameras",
  method: "get",
  path: "/cameras/",
  describes: "device",
  response: z.record(z.string(), CameraStatus),
});
export const getCamera = defineEndpoint({
  operationId: "get_camera",
  method: "get",
  path: "/cameras/{camera_name}",
  params: CameraName,
  describes: "device",
  response: CameraStatus,
});
/** An endless stream of JPEG parts, or one JPEG. */
export const getPreview = defineEndpoint({
  operationId: "get_preview",
  method: "get",
  path: "/cameras/{camera_name}/preview",
  params: CameraName,
  query: z.object({
    mode: z
      .enum(["stream", "snapshot"])
      .default("stream")
      .meta({ enum: undefined, pattern: "^(stream|snapshot)$" }),
    fps: z.int().min(1).max(50).default(50),
  }),
  media: "multipart/x-mixed-replace",
});

/** Another version answers the same question with other formats. */
function photoEndpoint<Query extends z.ZodType>(versions: readonly ApiVersion[], query: Query) {
  return defineEndpoint({
    operationId: "get_photo",
    method: "get",
    path: "/cameras/{camera_name}/photo",
    params: CameraName,
    query,
    versions,
    media: "image/jpeg",
  });
}
const with_metadata = z.boolean().default(false).describe("answer with `CapturedPhoto`, not with the bytes");
/** Version 0.8: always a JPEG. */
export const getJpegPhoto = photoEndpoint(["0.8"], z.object({}));
/** Version 0.9, which knows no raw files. */
export const getPhoto = photoEndpoint(
  ["0.9"],
  z.object({ image_format: ImageFormat.exclude(["raw"]).default("jpeg"), with_metadata }),
);
export const getAnyPhoto = photoEndpoint(
  ["next"],
  z.object({ image_format: ImageFormat.default("jpeg"), with_metadata }),
);

/** A photo that was taken; its bytes are at `payload_url` for a while. */
export const CapturedPhoto = z.object({
  format: ImageFormat,
  media_type: z.string(),
  filename: z.string(),
  camera_metadata: z.object({
    camera_name: z.string(),
    camera_settings: CameraSettings,
    raw_metadata: z.record(z.string(), z.unknown()).describe("what the camera itself says about the shot"),
  }),
  scan_metadata: z.null(),
  payload_url: z.string(),
  expires_in_s: z.number(),
});
export type CapturedPhoto = z.output<typeof CapturedPhoto>;

export const getPhotoPayload = defineEndpoint({
  operationId: "get_photo_payload",
  method: "get",
  path: "/cameras/{camera_name}/photo/payload/{payload_id}",
  params: CameraName.extend({ payload_id: z.string() }),
  versions: ["0.9", "next"],
  media: "application/octet-stream",
});

/** Closes and opens the camera anew; the reply has no body. */
export const restartCamera = defineEndpoint({
  operationId: "restart_camera",
  method: "post",
  path: "/cameras/{camera_name}/restart",
  params: CameraName,
});

export const WhiteBalanceRequest = z.object({
  warmup_frames: z.int().min(0).default(12).describe("not looked at"),
  stable_frames: z.int().min(1).default(4).describe("in a row, between which the gains hardly change"),
  eps: z.number().positive().default(0.01).describe("by how much a stable gain may change"),
  timeout_s: z.number().positive().default(2).describe("then the last gains are taken as they are"),
});
export type WhiteBalanceRequest = z.output<typeof WhiteBalanceRequest>;

export const WhiteBalanceGains = z.object({ red_gain: z.number(), blue_gain: z.number() });
export type WhiteBalanceGains = z.output<typeof WhiteBalanceGains>;

/** Finds the white balance of what the camera sees, and makes it its settings. */
export const calibrateWhiteBalance = defineEndpoint({
  operationId: "auto_calibrate_awb",
  method: "post",
  path: "/cameras/{camera_name}/awb-calibration",
  params: CameraName,
  body: WhiteBalanceRequest.default(WhiteBalanceRequest.parse({})),
  response: WhiteBalanceGains,
});

export const CameraReport = z.object({
  ok: z.boolean(),
  return_code: z.int(),
  script: z.string().describe("what made the report"),
  report: z.string(),
  stderr: z.string(),
  gphoto2: z.object({
    available: z.boolean(),
    error: z.string().nullable(),
    detected: z.boolean(),
    cameras: z.array(z.object({ model: z.string(), port: z.string() })),
  }),
});
export type CameraReport = z.output<typeof CameraReport>;

/** What there is to know when a camera is not found. */
export const getCameraReport = defineEndpoint({
  operationId: "get_camera_report",
  method: "get",
  path: "/develop/camera-report",
  query: z.object({ format: z.enum(["json", "text"]).default("json") }),
  versions: ["0.9", "next"],
  response: CameraReport,
});

export const cameraSettings = settingsEndpoints("camera", CameraSettings);
