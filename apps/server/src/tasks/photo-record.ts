import type { Scan, ScanPath } from "@openscan/protocol";
import { photoName } from "../projects/layout.js";
import type { NewPhoto } from "../projects/scan-folder.js";
import type { Direction, ScanCamera, ScanPhoto } from "./scanner.js";

interface PhotoOf {
  readonly scan: Scan;
  readonly point: ScanPath["points"][number];
  /** Place in the focus stack; `null` without stacking. */
  readonly stack: number | null;
  readonly camera: ScanCamera;
  /** Where the motors really stood. */
  readonly actual: Direction;
  readonly seconds: number;
}

/** A photo as it is stored: its name and what its metadata tell of it. */
export function photoRecord(
  photo: ScanPhoto,
  { scan, point, stack, camera, actual, seconds }: PhotoOf,
): NewPhoto {
  const { project_name, index, settings } = scan;
  const { original_step: step, polar, cartesian } = point;
  return {
    file: photoName(index, { step, stack }, photo.extension),
    bytes: photo.bytes,
    seconds,
    metadata: {
      format: settings.image_format,
      camera_metadata: {
        camera_name: camera.name,
        camera_settings: camera.settings.get(),
        raw_metadata: { ...photo.rawMetadata, actual_position: actual },
      },
      scan_metadata: {
        step,
        polar_coordinates: polar,
        project_name,
        scan_index: index,
        stack_index: stack,
        cart_coordinates: cartesian,
      },
    },
  };
}
