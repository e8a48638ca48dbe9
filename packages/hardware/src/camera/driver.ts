import type { CameraSettings, ImageFormat } from "@openscan/protocol";

export interface Photo {
  readonly format: ImageFormat;
  readonly bytes: Uint8Array;
  /** e.g. `image/jpeg` */
  readonly mediaType: string;
  /** With its dot: `.jpg` */
  readonly extension: string;
  /** What the camera itself says about the shot; stored beside the photo as it is. */
  readonly rawMetadata: Record<string, unknown>;
}

export interface CaptureRequest {
  /** One of the driver's `formats`. */
  readonly format: ImageFormat;
  readonly signal: AbortSignal;
  /** Makes a simulated shot repeatable: the same seed gives the same noise. Real cameras ignore it. */
  readonly seed: number | undefined;
}

/** What talks to one camera. Never asked for two things at once. */
export interface CameraDriver {
  readonly formats: readonly ImageFormat[];
  /** Uses other settings for the next frame. */
  configure(settings: CameraSettings): Promise<void>;
  capture(request: CaptureRequest): Promise<Photo>;
  /** One small JPEG, as fresh as possible; not rotated. */
  preview(signal: AbortSignal): Promise<Uint8Array>;
  close(): Promise<void>;
}
