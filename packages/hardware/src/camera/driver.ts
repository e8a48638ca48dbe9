import type { CameraSettings, ImageFormat } from "@openscan/protocol";
import type { ShotFacts } from "./exif.js";
import type { WhiteBalance, WhiteBalanceSearch } from "./white-balance.js";

/** What a driver delivers. */
export interface Shot {
  /** What it is, which may be another raw format than the one that was asked for. */
  readonly format: ImageFormat;
  /** The file. A JPEG need not have EXIF, and if it has, its orientation is set right. */
  readonly bytes: Uint8Array;
  /**
   * What the camera itself says about the shot; stored beside the photo as it is. `capture_name` is the name that
   * the camera gave its file: it tells which kind of raw file this is.
   */
  readonly rawMetadata: Record<string, unknown>;
  /** What a JPEG without EXIF is to tell of the shot. */
  readonly facts?: ShotFacts;
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
  capture(request: CaptureRequest): Promise<Shot>;
  /** One small JPEG, as fresh as possible; not rotated, and with no orientation of its own. */
  preview(signal: AbortSignal): Promise<Uint8Array>;
  /**
   * Finds the gains with which the camera sees grey as grey, and leaves its settings as they are. A camera without
   * this has no automatic white balance.
   *
   * @returns undefined when it found none in time, as in the dark
   */
  calibrateWhiteBalance?(search: WhiteBalanceSearch, signal: AbortSignal): Promise<WhiteBalance | undefined>;
  /** Closes and opens the camera anew, with the settings it has. A camera without this cannot be restarted. */
  restart?(signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}
