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
    update(patch: Partial<CameraSettings>): Promise<CameraSettings>;
  };
  capture(request: { readonly format: ImageFormat; readonly signal?: AbortSignal }): Promise<ScanPhoto>;
  /** One JPEG frame. */
  preview(signal?: AbortSignal): Promise<Uint8Array>;
}

/** What a scan needs of the device. */
export interface Scanner {
  readonly motors: ReadonlyMap<string, ScanMotor>;
  /** @throws ScanError `not_found` */
  camera(name: string): ScanCamera;
  status(): { readonly scan_radius_mm: number };
  /** Degrees; resolves when the motors stand still. */
  moveTo(position: { readonly theta: number; readonly fi: number }, signal?: AbortSignal): Promise<void>;
  /** Wakes the motors, and calibrates them where the device is set to do so before a scan. */
  prepareScan(signal?: AbortSignal): Promise<void>;
}

/** Where the motors stand; an axis without a motor is where it was asked to be. */
export function position(
  { motors }: Pick<Scanner, "motors">,
  planned: { readonly theta: number; readonly fi: number },
): { theta: number; fi: number } {
  return {
    theta: motors.get("rotor")?.status().angle ?? planned.theta,
    fi: motors.get("turntable")?.status().angle ?? planned.fi,
  };
}
