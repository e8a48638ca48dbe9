/** Direction and distance of the camera, seen from the middle of the turntable. */
export interface PolarPoint {
  /** Degrees from the north pole: 0 straight above, 90 at the equator, 180 straight below. */
  readonly theta: number;
  /** Azimuth in degrees, 0 up to 360. */
  readonly fi: number;
  /** Distance in the unit of the radius it was made with, usually mm. */
  readonly r: number;
}

/** x towards theta 90, fi 0; y towards theta 90, fi 90; z up. Same unit as `r`. */
export interface CartesianPoint {
  readonly x: number;
  readonly y: number;
  readonly z: number;
}

/** The two angles a scanner can drive to. */
export type Direction = Pick<PolarPoint, "theta" | "fi">;
