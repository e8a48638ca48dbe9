import type { PosedPhoto } from "@openscan/protocol";

/** A file for another program; its name may have folders, and is relative to the folder of the poses. */
export interface PoseFile {
  readonly name: string;
  readonly text: string;
}

/** A photo and where another program finds it. */
export interface PlacedPhoto extends PosedPhoto {
  /** Below the folder of the pictures. */
  readonly name: string;
  /** From the folder of the poses. */
  readonly path: string;
}
