/** Names of the files of a project, as existing OpenScan3 projects and clients know them. */
export const projectFile = "openscan_project.json";
export const thumbnailFile = "thumbnail.jpg";
export const scanFile = "scan.json";
export const pathFile = "path.json";
export const posesFile = "poses.json";
export const metadataFolder = "metadata";
export const stackedFolder = "stacked";
export const modelFolder = "model";

export interface ScanAddress {
  readonly project: string;
  readonly index: number;
}

export function scanFolderName(index: number): string {
  return `scan${String(index).padStart(2, "0")}`;
}

/** Index of a scan's folder; `undefined` for any other name. */
export function scanIndexOf(folder: string): number | undefined {
  const index = /^scan(\d+)$/.exec(folder)?.[1];
  return index !== undefined && scanFolderName(Number(index)) === folder ? Number(index) : undefined;
}

/** Which photo of a scan: a position, and which of its focus positions. */
export interface PhotoSlot {
  /** Place of the position in the path as generated, zero-based. */
  readonly step: number;
  /** Zero-based; `null` without focus stacking. */
  readonly stack: number | null;
}

/** @param extension with its dot, e.g. `.jpg` */
export function photoName(scanIndex: number, { step, stack }: PhotoSlot, extension: string): string {
  const focus = stack === null ? "" : `_fs${String(stack).padStart(2, "0")}`;
  return `${scanFolderName(scanIndex)}_${String(step).padStart(3, "0")}${focus}${extension}`;
}

/** What a file name in a scan's folder says; `undefined` when it is not one of a photo. */
export function photoSlot(file: string): PhotoSlot | undefined {
  const [, step, stack] = /^scan\d+_(\d{3,})(?:_fs(\d{2,}))?\.\w+$/.exec(file) ?? [];
  if (step === undefined) return undefined;
  return { step: Number(step), stack: stack === undefined ? null : Number(stack) };
}

/** The stacked photo of a position, relative to the scan's folder. */
export function stackedName(scanIndex: number, step: number): string {
  return `${stackedFolder}/stacked_${photoName(scanIndex, { step, stack: null }, ".jpg")}`;
}

/** How the photos of a scan's stacks lie to each other, relative to the scan's folder. */
export function calibrationName(scanIndex: number): string {
  return `${stackedFolder}/calibration_${scanFolderName(scanIndex)}.json`;
}

/** The position that a stacked photo shows, a path relative to the scan's folder; `undefined` for any other file. */
export function stackedStep(file: string): number | undefined {
  const step = /^stacked\/stacked_scan\d+_(\d{3,})\.jpe?g$/i.exec(file)?.[1];
  return step === undefined ? undefined : Number(step);
}

/** The metadata file of a photo, both relative to the scan's folder. */
export function metadataName(photo: string): string {
  return `${metadataFolder}/${photo.replace(/\.\w+$/, "")}.json`;
}

/** Steps of which every photo is there: one, or one for each focus position. */
export function capturedSteps(photos: readonly string[], focusStacks: number): ReadonlySet<number> {
  const captured = new CapturedSteps(focusStacks);
  for (const photo of photos) captured.add(photo);
  return captured.steps;
}

/** The same, told photo by photo: the 900th costs no more than the first. */
export class CapturedSteps {
  readonly #focusStacks: number;
  readonly #taken = new Map<number, Set<number | null>>();
  readonly #steps = new Set<number>();

  constructor(focusStacks: number) {
    this.#focusStacks = focusStacks;
  }

  get steps(): ReadonlySet<number> {
    return this.#steps;
  }

  add(photo: string): void {
    const slot = photoSlot(photo);
    if (!slot || (slot.stack === null) !== (this.#focusStacks === 1)) return;
    const taken = this.#taken.get(slot.step) ?? new Set();
    this.#taken.set(slot.step, taken.add(slot.stack));
    if (taken.size >= this.#focusStacks) this.#steps.add(slot.step);
  }
}

/** How many leading steps of the order have all their photos. @param known that so many have */
export function leadingCaptured(order: readonly number[], captured: ReadonlySet<number>, known = 0): number {
  let leading = known;
  for (; leading < order.length; leading++) {
    const step = order[leading];
    if (step === undefined || !captured.has(step)) break;
  }
  return leading;
}
