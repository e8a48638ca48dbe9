import { z } from "zod";
import { defineEndpoint } from "./endpoint.js";
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
export const getPhoto = defineEndpoint({
  operationId: "get_photo",
  method: "get",
  path: "/cameras/{camera_name}/photo",
  params: CameraName,
  query: z.object({ image_format: ImageFormat.default("jpeg") }),
  media: "image/jpeg",
});
export const cameraSettings = settingsEndpoints("camera", CameraSettings);
