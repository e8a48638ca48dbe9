import type { Camera, Photo } from "@openscan/hardware";
import { type ApiVersion, type CapturedPhoto, getPhotoPayload, type ImageFormat } from "@openscan/protocol";
import type { Response } from "express";
import { baseUrl } from "../http/base-url.js";
import type { Exchange } from "../http/route.js";
import { payloadLifeMs, type PhotoPayload, type PhotoPayloads } from "../photo-payloads.js";

interface Wanted {
  readonly image_format: ImageFormat;
  readonly with_metadata: boolean;
}

/** Takes a photo and sends its bytes, or its metadata and where the bytes are. */
export async function answerPhoto(
  camera: Camera,
  { image_format, with_metadata }: Wanted,
  { exchange, payloads }: { readonly exchange: Exchange; readonly payloads: PhotoPayloads },
): Promise<void> {
  const { req, res, signal, version } = exchange;
  const photo = shownPhoto(await camera.capture({ format: image_format, signal }), version);
  res.set("Cache-Control", "no-store");
  if (!with_metadata) {
    sendBytes(res, photo);
    return;
  }
  const { format, mediaType, settings, rawMetadata } = photo;
  const filename = nameOf(photo);
  const payload_id = payloads.keep(camera.name, { bytes: photo.bytes, mediaType, filename });
  const path = getPhotoPayload.path
    .replace("{camera_name}", encodeURIComponent(camera.name))
    .replace("{payload_id}", payload_id);
  const reply: CapturedPhoto = {
    format,
    media_type: mediaType,
    filename,
    camera_metadata: { camera_name: camera.name, camera_settings: settings, raw_metadata: rawMetadata },
    scan_metadata: null,
    payload_url: `${baseUrl(req)}${path}`,
    expires_in_s: payloadLifeMs / 1000,
  };
  res.json(reply);
}

export function sendPayload(res: Response, payload: PhotoPayload): void {
  res.set({
    "Cache-Control": "no-store",
    "Content-Disposition": `inline; filename="${payload.filename}"`,
  });
  sendBytes(res, payload);
}

function sendBytes(res: Response, { bytes, mediaType }: Pick<PhotoPayload, "bytes" | "mediaType">): void {
  res
    .set("Content-Type", mediaType)
    .send(Buffer.from(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.byteLength));
}

/** Version 0.9 knows no raw files but DNG: what another camera calls raw is what was asked for as `dng`. */
function shownPhoto(photo: Photo, version: ApiVersion): Photo {
  if (version === "next" || photo.format !== "raw") return photo;
  const isDng = photo.extension === ".dng";
  return {
    ...photo,
    format: "dng",
    ...(!isDng && { mediaType: "application/octet-stream", extension: ".raw" }),
  };
}

function nameOf({ format, extension }: Photo): string {
  return extension === ".npy" ? `photo_${format}${extension}` : `photo${extension}`;
}
