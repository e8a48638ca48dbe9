import type { Scan } from "@openscan/protocol";
import { photoSlot, stackedFolder, stackedStep } from "./layout.js";

/** The photos that a scan's camera has taken. */
export function originalPhotos({ photos }: Scan): string[] {
  return photos.filter((photo) => !photo.startsWith(`${stackedFolder}/`));
}

/** The photos to be used: where there is a stacked one of a position, it takes the place of those it was made of. */
export function preferredPhotos(scan: Scan): string[] {
  const stacked = scan.photos.filter((photo) => stackedStep(photo) !== undefined);
  const replaced = new Set(replacedPhotos(scan));
  return [...originalPhotos(scan).filter((photo) => !replaced.has(photo)), ...stacked];
}

/** The photos of which there is a stacked one. */
export function replacedPhotos(scan: Scan): string[] {
  const steps = new Set(scan.photos.map(stackedStep));
  return originalPhotos(scan).filter((photo) => {
    const slot = photoSlot(photo);
    return slot !== undefined && steps.has(slot.step);
  });
}
