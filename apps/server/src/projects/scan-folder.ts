import { mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { type PhotoMetadata, type Scan, ScanError, type ScanPath, type ScanPoses } from "@openscan/protocol";
import { type Clock, type Logger, timestamp } from "@openscan/runtime";
import { writeFileAtomic } from "@openscan/runtime/atomic-file";
import { decodePath, encodeScan, frozen, toJson } from "./encoding.js";
import { fileSize, fileSizes, hasCode, reason, unlessMissing } from "./folders.js";
import {
  CapturedSteps,
  calibrationName,
  leadingCaptured,
  metadataFolder,
  metadataName,
  pathFile,
  posesFile,
  scanFile,
  stackedFolder,
} from "./layout.js";
import type { StackingCalibration } from "./stacking-calibration.js";

export interface NewPhoto {
  /** Name in the scan's folder, see `photoName`. */
  readonly file: string;
  readonly bytes: Uint8Array;
  readonly metadata: PhotoMetadata;
  /** Time that making it took, to be added to the scan's duration. */
  readonly seconds: number;
}

export interface ScanFolderOptions {
  readonly path: string;
  readonly scan: Scan;
  /** Size of all files but `scan.json`. */
  readonly otherBytes: number;
  /** Steps of the scan's path in execution order; empty while it has none. */
  readonly order: readonly number[];
  /** Whether photos may have come or gone since the scan's poses were written. */
  readonly posesStale?: boolean;
  /** Why `scan.json` could not be read; the scan can then be looked at and deleted, but not changed. */
  readonly trouble?: string;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * One scan: its state in memory and its files. The state changes at once, `save` brings it to the disk; sizes
 * are counted along, so that nothing is walked. Its project lets only one of the asynchronous methods run at a time.
 */
export class ScanFolder {
  readonly path: string;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #trouble: string | undefined;
  #scan: Scan;
  #otherBytes: number;
  #order: readonly number[];
  #captured: CapturedSteps;
  /** Photos whose time is in the scan's duration, although `scan.json` may not be on the disk yet. */
  readonly #counted = new WeakSet<NewPhoto>();
  /** JSON of the state that is not on the disk yet. */
  #unsaved: string | undefined;

  #posesStale: boolean;

  constructor({ path, scan, otherBytes, order, posesStale = false, trouble, clock, log }: ScanFolderOptions) {
    this.path = path;
    this.#scan = frozen(scan);
    this.#captured = this.#countCaptured(scan.photos);
    this.#otherBytes = otherBytes;
    this.#order = order;
    this.#posesStale = posesStale;
    this.#trouble = trouble;
    this.#clock = clock;
    this.#log = log;
  }

  /** The state of this moment, read-only: later changes make a new one. */
  get scan(): Scan {
    return this.#scan;
  }

  change(patch: Partial<Scan>): void {
    this.#requireReadable();
    const { scan, text } = encodeScan({ ...this.#scan, ...patch }, this.#otherBytes);
    this.#scan = frozen(scan);
    this.#unsaved = text;
  }

  /** Writes the newest state, unless it has been written. */
  async save(): Promise<void> {
    const text = this.#unsaved;
    if (text === undefined) return;
    await store(join(this.path, scanFile), text);
    if (this.#unsaved === text) this.#unsaved = undefined;
  }

  async savePath(path: ScanPath): Promise<void> {
    this.#requireReadable();
    await this.#write(pathFile, toJson(path));
    this.#order = path.points.map((point) => point.original_step);
    this.change({ current_step: this.#currentStep() });
    await this.save();
  }

  /** The stored path; `undefined` when there is none or it is unreadable: it can be computed anew. */
  findPath(): Promise<ScanPath | undefined> {
    return readPath(this.path, this.#log);
  }

  /**
   * A photo counts once it lies under its name: its metadata is there by then, and what follows (`scan.json`)
   * is made good when the files are loaded. It may be tried again with the same object: its time counts once.
   */
  async savePhoto(photo: NewPhoto): Promise<void> {
    const { file, bytes, metadata } = photo;
    this.#requireReadable();
    await this.#makeFolder(metadataFolder);
    await this.#write(metadataName(file), toJson(metadata));
    await this.#write(file, bytes);
    this.#posesStale = true;
    const { photos, duration } = this.#scan;
    const listed = photos.includes(file) ? photos : [...photos, file];
    const seconds = this.#counted.has(photo) ? 0 : photo.seconds;
    this.#counted.add(photo);
    this.#captured.add(file);
    this.change({
      photos: listed,
      current_step: this.#currentStep(this.#scan.current_step),
      duration: duration + seconds,
      last_updated: timestamp(this.#clock),
    });
    await this.save();
  }

  /** @param file see `stackedName`; a photo of that name is replaced */
  async saveStacked(file: string, jpeg: Uint8Array): Promise<void> {
    this.#requireReadable();
    await this.#makeFolder(stackedFolder);
    const grown = await this.#write(file, jpeg);
    const { photos, stacked_size_bytes } = this.#scan;
    this.change({
      photos: photos.includes(file) ? photos : [...photos, file],
      stacked_size_bytes: Math.max(0, stacked_size_bytes + grown),
      last_updated: timestamp(this.#clock),
    });
    await this.save();
  }

  async saveCalibration(calibration: StackingCalibration): Promise<void> {
    this.#requireReadable();
    await this.#makeFolder(stackedFolder);
    await this.#write(calibrationName(this.#scan.index), toJson(calibration));
    this.change({});
    await this.save();
  }

  /**
   * Takes photos off the list that are not on the disk any more.
   *
   * @throws ScanError `storage` naming them
   */
  async requirePhotos(): Promise<void> {
    const sizes = await fileSizes(this.path);
    const lost = this.#scan.photos.filter((file) => !sizes.get(file));
    if (lost.length === 0) return;
    const photos = this.#scan.photos.filter((file) => !lost.includes(file));
    this.#posesStale = true;
    this.#captured = this.#countCaptured(photos);
    this.change({ photos, current_step: this.#currentStep() });
    await this.save();
    throw new ScanError("storage", `photos of ${this.path} are not on the disk any more: ${lost.join(", ")}`);
  }

  /**
   * Removes photos and their metadata; files that are not photos of this scan are left alone.
   *
   * @throws ScanError `storage` when one could not be removed; the others are gone then
   */
  async deletePhotos(files: readonly string[]): Promise<void> {
    this.#requireReadable();
    const wanted = new Set(files.filter((file) => this.#scan.photos.includes(file)));
    const deleted = new Set<string>();
    let stackedBytes = 0;
    let failure: unknown;
    for (const file of wanted) {
      try {
        const size = await this.#remove(file);
        deleted.add(file);
        if (file.includes("/")) stackedBytes += size;
        else await this.#remove(metadataName(file));
      } catch (error) {
        failure ??= error;
      }
    }
    this.#posesStale = true;
    const photos = this.#scan.photos.filter((photo) => !deleted.has(photo));
    this.#captured = this.#countCaptured(photos);
    this.change({
      photos,
      // A finished scan stays one when its bad photos are sorted out.
      current_step: this.#scan.status === "completed" ? this.#scan.current_step : this.#currentStep(),
      stacked_size_bytes: Math.max(0, this.#scan.stacked_size_bytes - stackedBytes),
      last_updated: timestamp(this.#clock),
    });
    await this.save();
    if (failure !== undefined) throw failure;
  }

  /** Whether photos have come or gone since `poses.json` was written. */
  get hasUnsavedPoses(): boolean {
    return this.#posesStale && this.#trouble === undefined;
  }

  /** Whether there is a `poses.json` that tells of all photos; older versions wrote none. */
  async hasPoses(): Promise<boolean> {
    return !this.#posesStale && (await fileSize(join(this.path, posesFile))) > 0;
  }

  /** Writes `poses.json` when photos have come or gone: once after many of them, because it tells of all. */
  async savePoses(read: (folder: ScanFolder) => Promise<ScanPoses>): Promise<void> {
    if (!this.hasUnsavedPoses) return;
    await this.#write(posesFile, toJson(await read(this)));
    this.#posesStale = false;
    this.change({});
    await this.save();
  }

  #countCaptured(photos: readonly string[]): CapturedSteps {
    const captured = new CapturedSteps(this.#scan.settings.focus_stacks);
    for (const photo of photos) captured.add(photo);
    return captured;
  }

  /** @param known that so many leading positions have all their photos */
  #currentStep(known = 0): number {
    return leadingCaptured(this.#order, this.#captured.steps, known);
  }

  /** Scans may lack it. Where the scan's own folder is missing, somebody has removed that. */
  async #makeFolder(name: string): Promise<void> {
    const path = join(this.path, name);
    try {
      await mkdir(path);
    } catch (cause) {
      if (hasCode(cause, "EEXIST")) return;
      throw new ScanError("storage", `${path} could not be made: ${reason(cause)}`, { cause });
    }
  }

  /** @returns by how many bytes it has grown */
  async #write(file: string, content: string | Uint8Array): Promise<number> {
    const path = join(this.path, file);
    const before = await fileSize(path);
    await store(path, content);
    const grown = Buffer.byteLength(content) - before;
    this.#otherBytes += grown;
    return grown;
  }

  async #remove(file: string): Promise<number> {
    const path = join(this.path, file);
    try {
      const size = await fileSize(path);
      await rm(path, { force: true });
      this.#otherBytes -= size;
      return size;
    } catch (cause) {
      throw new ScanError("storage", `${path} could not be removed: ${reason(cause)}`, { cause });
    }
  }

  #requireReadable(): void {
    if (this.#trouble === undefined) return;
    throw new ScanError("conflict", `${join(this.path, scanFile)} is kept as it is: ${this.#trouble}`);
  }
}

/** @throws ScanError `storage` naming the file, e.g. when the disk is full */
export async function store(path: string, content: string | Uint8Array): Promise<void> {
  try {
    await writeFileAtomic(path, content);
  } catch (cause) {
    throw new ScanError("storage", `${path} could not be written: ${reason(cause)}`, { cause });
  }
}

export async function readPath(scanFolder: string, log: Logger): Promise<ScanPath | undefined> {
  const file = join(scanFolder, pathFile);
  try {
    const text = await unlessMissing(readFile(file, "utf8"));
    return text === undefined ? undefined : decodePath(JSON.parse(text));
  } catch (err) {
    log.warn({ err, file }, "the path of a scan is unreadable");
    return undefined;
  }
}
