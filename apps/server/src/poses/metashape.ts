import { basename } from "node:path/posix";
import { cameraToWorld, type Matrix } from "./camera-pose.js";
import type { PlacedPhoto } from "./placed-photo.js";

const MM_PER_M = 1000;
/** How well the positions are known: Metashape weighs them by it. */
const ACCURACY_M = 0.001;
const DEGREES = 180 / Math.PI;

/** For Metashape's reference pane: positions in metres, rotations as omega, phi, kappa in degrees. */
export function metashapeCsv(photos: readonly PlacedPhoto[]): string {
  const lines = photos.map(({ name, rotation, position }) =>
    [
      basename(name),
      ...position.map((value) => value / MM_PER_M),
      ACCURACY_M,
      ...omegaPhiKappa(rotation).map((angle) => angle * DEGREES),
    ].join(),
  );
  return [`#label,x_m,y_m,z_m,accuracy_m,omega_deg,phi_deg,kappa_deg`, ...lines, ""].join("\n");
}

/**
 * Angles of camera to world with y up and looking along -z, as Rx(omega) Ry(phi) Rz(kappa). Along the x axis, phi is 90
 * degrees and omega and kappa turn the same way: all of it is told as kappa then.
 */
export function omegaPhiKappa(R: Matrix): readonly [omega: number, phi: number, kappa: number] {
  const rows = cameraToWorld(R).map(([right, down, forward]) => [right, -down, -forward]);
  const [[a, b, c], [d, e, f], [, , i]] = rows as unknown as Matrix;
  const phi = Math.asin(Math.min(1, Math.max(-1, c)));
  if (Math.abs(c) > 1 - 1e-12) return [0, phi, Math.atan2(d, e)];
  return [Math.atan2(-f, i), phi, Math.atan2(-b, a)];
}
