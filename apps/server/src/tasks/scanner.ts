import type { CameraSettings, ImageFormat, MotorSettings } from "@openscan/protocol";

/** What a scan needs of a motor. */
export interface ScanMotor {
  readonly settings: { get(): MotorSettings };
  status(): { readonly angle: number };
}

export interface ScanPhoto {
  readonly bytes: Uint8Array;
  /** With its dot, e.g. `.jpg`. */
  readonly extension: string;
  readonly rawMetadata: Record<string, unknown>;
}

/** What a scan needs of a camera. */
export interface ScanCamera {
  readonly name: string;
  readonly settings: {
    get(): CameraSettings;
    replace(settings: CameraSettings): Promise<CameraSettings>;
  };
  /** @throws ScanError `bad_request` for a format that it does not deliver */
  requireFormat(format: ImageFormat): void;
  capture(request: {
    readonly format: ImageFormat;
    readonly signal?: AbortSignal;
    readonly seed?: number;
  }): Promise<ScanPhoto>;
  /** One JPEG frame. */
  preview(signal?: AbortSignal): Promise<Uint8Array>;
}

/** A direction to the object in degrees: theta by the rotor, fi by the turntable. */
export interface Direction {
  readonly theta: number;
  readonly fi: number;
}

/** What a scan needs of the device. */
export interface Scanner {
  /** @throws ScanError `not_found` */
  motor(name: string): ScanMotor;
  /** @throws ScanError `not_found` */
  camera(name: string): ScanCamera;
  status(): { readonly scan_radius_mm: number };
  /** @throws ScanError `out_of_range` when a motor cannot be there exactly */
  checkReachable(direction: Direction): void;
  /** Resolves when the motors stand still. */
  moveTo(direction: Direction, signal?: AbortSignal): Promise<void>;
  /**
   * Wakes the motors, and calibrates them where the device is set to do so before a scan; does nothing when that has
   * been done.
   */
  prepareScan(signal?: AbortSignal): Promise<void>;
  /** The device does not go idle by itself until the result was called. */
  keepAwake(): () => void;
}

/** Where the motors stand. */
export function directionOf(scanner: Pick<Scanner, "motor">): Direction {
  return { theta: scanner.motor("rotor").status().angle, fi: scanner.motor("turntable").status().angle };
}
