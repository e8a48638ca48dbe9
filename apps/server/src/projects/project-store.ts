import { mkdir, realpath } from "node:fs/promises";
import { join } from "node:path";
import {
  type PhotoMetadata,
  type Project,
  ProjectName,
  type Scan,
  ScanError,
  type ScanPath,
  type ScanPoses,
} from "@openscan/protocol";
import { type Clock, Emitter, type Logger, timestamp } from "@openscan/runtime";
import { removeUnfinishedWrites } from "@openscan/runtime/atomic-file";
import { readScanPoses } from "../poses/scan-poses.js";
import { encodeProject, type ProjectFields } from "./encoding.js";
import { createFolder, entries, fileInside, hasCode, relativeParts } from "./folders.js";
import { projectFile, thumbnailFile } from "./layout.js";
import { loadProject } from "./load-project.js";
import { type CloudFields, type NewScan, ProjectFolder } from "./project-folder.js";
import { type NewPhoto, type ScanFolder, store } from "./scan-folder.js";
import type { StackingCalibration } from "./stacking-calibration.js";

export interface ProjectStoreOptions {
  /** Folder with a folder for each project; made when it does not exist. */
  readonly directory: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** Which way the camera goes around the object when the turntable's angle grows; asked when poses are told. */
  readonly turntableSign?: () => number;
}

/** A photo that is on the disk now. */
export interface SavedPhoto {
  readonly scan: Scan;
  readonly file: string;
  readonly metadata: PhotoMetadata;
}

/**
 * The projects and scans, in memory and as files of the older backend's layout. Whatever moment the process is
 * killed, a photo is there as a whole with its metadata or not at all, and `load` finds every one that is.
 *
 * What it hands out is read-only and never changes afterwards. Names are compared in their NFC form. Methods
 * throw ScanError `not_found` for an unknown project or scan, `storage` when the disk refuses, `conflict` for a
 * change to something whose JSON is unreadable: that stays as it is until somebody has looked at it.
 */
export class ProjectStore {
  /** A photo was saved. */
  readonly photos: Emitter<SavedPhoto>;
  readonly #clock: Clock;
  readonly #log: Logger;
  #directory: string;
  readonly #turntableSign: () => number;
  readonly #projects = new Map<string, ProjectFolder>();

  constructor({ directory, clock, log, turntableSign = () => 1 }: ProjectStoreOptions) {
    this.#directory = directory;
    this.#clock = clock;
    this.#log = log;
    this.#turntableSign = turntableSign;
    this.photos = new Emitter(log);
  }

  /** Reads everything, once, before the store is used. One bad project never stops the others. */
  async load(): Promise<void> {
    await mkdir(this.#directory, { recursive: true });
    this.#directory = await realpath(this.#directory);
    await removeUnfinishedWrites(this.#directory, this.#log);
    for (const { name } of await entries(this.#directory)) {
      const folder = join(this.#directory, name);
      try {
        const project = await loadProject(folder, { clock: this.#clock, log: this.#log });
        if (!project) continue;
        if (this.#projects.has(key(name))) this.#log.error({ folder }, "another project has the same name");
        else this.#projects.set(key(name), project);
      } catch (err) {
        this.#log.error({ err, folder }, "a project could not be loaded");
      }
    }
    await this.close().catch((err: unknown) =>
      this.#log.error({ err }, "a project could not be brought up to date"),
    );
  }

  list(): Record<string, Project> {
    return Object.fromEntries([...this.#projects].map(([name, folder]) => [name, folder.project]));
  }

  /** `list` as JSON, which UIs ask for whenever a task tells of progress. */
  listJson(): string {
    const projects = [...this.#projects].map(([name, folder]) => `${JSON.stringify(name)}:${folder.json}`);
    return `{${projects.join()}}`;
  }

  get(name: string): Project {
    return this.#folder(name).project;
  }

  /** @throws ScanError `bad_request` for a name that is not allowed or already that of a folder */
  async create(name: string, description: string | null): Promise<Project> {
    const parsed = ProjectName.safeParse(name);
    if (!parsed.success) {
      const problems = parsed.error.issues.map((issue) => issue.message).join("; ");
      throw new ScanError("bad_request", `project name ${JSON.stringify(name)} ${problems}`);
    }
    const path = join(this.#directory, parsed.data);
    const fields: ProjectFields = {
      name: parsed.data,
      path,
      created: timestamp(this.#clock),
      description,
      uploaded: false,
      cloud_project_name: null,
      downloaded: false,
    };
    if (this.#projects.has(parsed.data) || !(await this.#createFolder(fields))) {
      throw new ScanError("bad_request", `project ${JSON.stringify(parsed.data)} exists already`);
    }
    const folder = new ProjectFolder({ fields, scans: [], stale: false, clock: this.#clock, log: this.#log });
    this.#projects.set(parsed.data, folder);
    return folder.project;
  }

  /** @param guard throws when the project must not be deleted now; asked right before it is */
  async delete(name: string, guard: (project: Project) => void): Promise<void> {
    const folder = this.#folder(name);
    try {
      await folder.remove(guard);
    } finally {
      if (folder.removed) this.#projects.delete(key(name));
    }
  }

  /** Changes what the project tells of its copy in the cloud; resolves when it is on the disk. */
  async update(name: string, patch: Partial<CloudFields>): Promise<Project> {
    return this.#folder(name).update(patch);
  }

  /** Replaces the project's model with what is put into the folder; the one before stays until that is whole. */
  async replaceModel(name: string, fill: (folder: string) => Promise<void>): Promise<void> {
    await this.#folder(name).replaceModel(fill);
  }

  createScan(project: string, request: NewScan): Promise<Scan> {
    return this.#folder(project).createScan(request);
  }

  scan(project: string, index: number): Scan {
    return this.#folder(project).scan(index).scan;
  }

  /** The change is visible at once; the promise resolves when it is on the disk. */
  async updateScan(project: string, index: number, change: (scan: Scan) => Partial<Scan>): Promise<Scan> {
    return this.#folder(project).updateScan(index, change);
  }

  /** @param guard throws when the scan must not be deleted now; asked right before it is */
  async deleteScan(project: string, index: number, guard: (scan: Scan) => void): Promise<void> {
    await this.#folder(project).deleteScan(index, guard);
  }

  async savePath(project: string, index: number, path: ScanPath): Promise<void> {
    await this.#folder(project).changeScan(index, (scan) => scan.savePath(path));
  }

  /** The scan's path; `undefined` while it has none. */
  async findPath(project: string, index: number): Promise<ScanPath | undefined> {
    return this.#folder(project).scan(index).findPath();
  }

  async readPath(project: string, index: number): Promise<ScanPath> {
    const path = await this.findPath(project, index);
    if (path) return path;
    throw new ScanError("not_found", `scan ${index} of project ${JSON.stringify(project)} has no path yet`);
  }

  /** Resolves when photo, metadata and `scan.json` are on the disk. */
  async savePhoto(project: string, index: number, photo: NewPhoto): Promise<Scan> {
    const scan = await this.#folder(project).changeScan(index, (folder) => folder.savePhoto(photo));
    this.photos.emit({ scan, file: photo.file, metadata: photo.metadata });
    return scan;
  }

  /** Resolves when the stacked photo and `scan.json` are on the disk. */
  async saveStacked(project: string, index: number, file: string, jpeg: Uint8Array): Promise<Scan> {
    return this.#folder(project).changeScan(index, (scan) => scan.saveStacked(file, jpeg));
  }

  async saveCalibration(project: string, index: number, calibration: StackingCalibration): Promise<void> {
    await this.#folder(project).changeScan(index, (scan) => scan.saveCalibration(calibration));
  }

  /** Folder of the scan, which its photos' paths are relative to. */
  scanPath(project: string, index: number): string {
    return this.#folder(project).scan(index).path;
  }

  /**
   * Takes photos off the list that are not on the disk any more.
   *
   * @throws ScanError `storage` naming them
   */
  async requirePhotos(project: string, index: number): Promise<void> {
    await this.#folder(project).changeScan(index, (scan) => scan.requirePhotos());
  }

  /**
   * Removes photos by their relative paths, and their metadata; those that are not there are ignored.
   *
   * @param guard throws when they must not be deleted now; asked right before they are
   */
  async deletePhotos(
    project: string,
    index: number,
    files: readonly string[],
    guard: (scan: Scan) => void,
  ): Promise<Scan> {
    const names = files.map((file) => relativeParts(file).join("/"));
    const job = async (folder: ScanFolder) => {
      guard(folder.scan);
      await folder.deletePhotos(names);
    };
    const scan = await this.#folder(project).changeScan(index, job, { saveProject: true });
    await this.#trySavePoses(project, index);
    // Its size tells of the poses too.
    return this.#folder(project).scan(scan.index).scan;
  }

  /**
   * Absolute path of a file in a scan's folder, `/` and `\` alike.
   *
   * @throws ScanError `bad_request` unless the name is plainly relative, `not_found` when nothing inside has it
   */
  async photoFile(project: string, index: number, filename: string): Promise<string> {
    return fileInside(this.#folder(project).scan(index).path, filename);
  }

  /**
   * Absolute path of the project's thumbnail.
   *
   * @throws ScanError `not_found` while there is none
   */
  async findThumbnail(project: string): Promise<string> {
    return fileInside(this.#folder(project).path, thumbnailFile);
  }

  /** Absolute path of the project's thumbnail, whether there is one yet or not. */
  thumbnailFile(project: string): string {
    return join(this.#folder(project).path, thumbnailFile);
  }

  async saveThumbnail(project: string, jpeg: Uint8Array): Promise<void> {
    await this.#folder(project).saveFile(thumbnailFile, jpeg);
  }

  /** Where the camera stood for each photo of a scan, as their metadata tells now. */
  async poses(project: string, index: number, turntableSign = this.#turntableSign()): Promise<ScanPoses> {
    return this.#readPoses(this.#folder(project).scan(index), turntableSign);
  }

  /** The poses of a scan with photos that `poses.json` does not tell of. */
  async unsavedPoses(project: string, index: number): Promise<ScanPoses | undefined> {
    const folder = this.#folder(project).scan(index);
    if (folder.scan.photos.length === 0 || (await folder.hasPoses())) return undefined;
    return this.#readPoses(folder, this.#turntableSign());
  }

  /** Brings `poses.json` up to date. To be called when a scan comes to rest: it tells of all photos at once. */
  async savePoses(project: string, index: number): Promise<void> {
    const folder = this.#folder(project);
    if (!folder.scan(index).hasUnsavedPoses) return;
    const read = (scan: ScanFolder) => this.#readPoses(scan, this.#turntableSign());
    await folder.changeScan(index, (scan) => scan.savePoses(read), { saveProject: true });
  }

  /** Writes the poses of scans that were under way when the server was killed. */
  async saveStalePoses(): Promise<void> {
    for (const { project } of this.#projects.values())
      for (const { index } of Object.values(project.scans)) await this.#trySavePoses(project.name, index);
  }

  /** They can be told without being written: nothing else is to fail with them. */
  async #trySavePoses(project: string, index: number): Promise<void> {
    await this.savePoses(project, index).catch((err: unknown) =>
      this.#log.warn({ err, project, index }, "the poses of a scan were not written"),
    );
  }

  #readPoses({ scan, path }: ScanFolder, turntableSign: number): Promise<ScanPoses> {
    return readScanPoses({ scan, folder: path, turntableSign, generated: timestamp(this.#clock) });
  }

  /** Resolves when everything asked for so far is on the disk. */
  async close(): Promise<void> {
    await Promise.all([...this.#projects.values()].map((folder) => folder.flush()));
  }

  #folder(name: string): ProjectFolder {
    const folder = this.#projects.get(key(name));
    if (folder) return folder;
    throw new ScanError("not_found", `project ${JSON.stringify(name)} does not exist`);
  }

  async #createFolder(fields: ProjectFields): Promise<boolean> {
    try {
      return await createFolder(fields.path, (temporary) =>
        store(join(temporary, projectFile), encodeProject(fields, [])),
      );
    } catch (error) {
      const { cause } = error as Error;
      if (!hasCode(cause, "ENAMETOOLONG")) throw error;
      throw new ScanError(
        "bad_request",
        `project name ${JSON.stringify(fields.name)} is too long for this disk`,
        { cause },
      );
    }
  }
}

function key(name: string): string {
  return name.normalize("NFC");
}
