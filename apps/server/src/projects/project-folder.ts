import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import {
  type CameraSettings,
  type Project,
  type Scan,
  ScanError,
  type ScanSettings,
} from "@openscan/protocol";
import { type Clock, type Logger, timestamp } from "@openscan/runtime";
import { encodeProject, encodeScan, jsonOf, type ProjectFields, withoutNullBounds } from "./encoding.js";
import { createFolder, entries, removeFolder } from "./folders.js";
import { metadataFolder, projectFile, scanFile, scanFolderName, scanIndexOf } from "./layout.js";
import { installModel, makeModel } from "./model-folder.js";
import { ScanFolder, store } from "./scan-folder.js";
import { Turns } from "./turns.js";

export interface NewScan {
  readonly settings: ScanSettings;
  readonly camera_name: string | null;
  /** A copy of the camera's settings at this moment. */
  readonly camera_settings: CameraSettings;
  readonly description: string | null;
}

/** What a project tells of its copy in the cloud. */
export type CloudFields = Pick<ProjectFields, "uploaded" | "downloaded" | "cloud_project_name">;

export interface ProjectFolderOptions {
  readonly fields: ProjectFields;
  readonly scans: readonly ScanFolder[];
  /** Whether the project's JSON tells something else than `fields` and `scans`. */
  readonly stale: boolean;
  /** Why the project's JSON could not be read; the project can then be looked at and deleted, but not changed. */
  readonly trouble?: string;
  readonly clock: Clock;
  readonly log: Logger;
}

/** One project. All that writes below its folder takes its turn here, so that no older state overwrites a newer one. */
export class ProjectFolder {
  #fields: ProjectFields;
  readonly #scans: Map<number, ScanFolder>;
  readonly #trouble: string | undefined;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #turns = new Turns();
  /** Highest index of a scan that there is or was. */
  #lastIndex: number;
  #removed = false;
  #stale: boolean;

  constructor({ fields, scans, stale, trouble, clock, log }: ProjectFolderOptions) {
    this.#fields = fields;
    this.#scans = new Map(scans.map((folder) => [folder.scan.index, folder]));
    this.#lastIndex = Math.max(0, ...this.#scans.keys());
    this.#stale = stale;
    this.#trouble = trouble;
    this.#clock = clock;
    this.#log = log;
  }

  get path(): string {
    return this.#fields.path;
  }

  get project(): Project {
    const scans = this.#sorted().map((scan) => [scanFolderName(scan.index), scan]);
    return { ...this.#fields, scans: Object.fromEntries(scans) };
  }

  /** The project as JSON. What its scans say is made once for each state of theirs. */
  get json(): string {
    const scans = this.#sorted().map(
      (scan) => `${JSON.stringify(scanFolderName(scan.index))}:${jsonOf(scan)}`,
    );
    return `${JSON.stringify(this.#fields).slice(0, -1)},"scans":{${scans.join()}}}`;
  }

  get removed(): boolean {
    return this.#removed;
  }

  /** @throws ScanError `not_found` */
  scan(index: number): ScanFolder {
    this.#requireThere();
    const scan = this.#scans.get(index);
    if (scan) return scan;
    throw new ScanError(
      "not_found",
      `scan ${index} of project ${JSON.stringify(this.#fields.name)} does not exist`,
    );
  }

  /** Changes the project's own values; nothing has changed when the disk refuses. */
  update(patch: Partial<CloudFields>): Promise<Project> {
    return this.#turns.run(async () => {
      this.#requireWritable();
      const before = this.#fields;
      this.#fields = { ...before, ...patch };
      this.#stale = true;
      try {
        await this.#save();
      } catch (error) {
        this.#fields = before;
        throw error;
      }
      return this.project;
    });
  }

  /** Replaces the model as a whole. Others go on meanwhile: to fill its folder may take minutes. */
  async replaceModel(fill: (folder: string) => Promise<void>): Promise<void> {
    this.#requireWritable();
    const folder = await makeModel(this.path, fill);
    await this.#turns.run(async () => {
      this.#requireWritable();
      await installModel(this.path, folder);
    });
  }

  createScan(request: NewScan): Promise<Scan> {
    return this.#turns.run(async () => {
      this.#requireWritable();
      // An index is never given twice, also when its scan is gone: late writes must not meet a new scan.
      const onDisk = (await entries(this.path)).map(({ name }) => scanIndexOf(name) ?? 0);
      this.#lastIndex = Math.max(this.#lastIndex, ...onDisk) + 1;
      const path = join(this.path, scanFolderName(this.#lastIndex));
      const { scan, text } = encodeScan(this.#newScan(this.#lastIndex, request), 0);
      const created = await createFolder(path, async (folder) => {
        await mkdir(join(folder, metadataFolder));
        await store(join(folder, scanFile), text);
      });
      if (!created) throw new ScanError("conflict", `${path} exists already`);
      const options = { path, scan, otherBytes: 0, order: [], clock: this.#clock, log: this.#log };
      this.#scans.set(scan.index, new ScanFolder(options));
      this.#stale = true;
      try {
        await this.#save();
      } catch (error) {
        // Nobody is told of this scan, so nobody would ever start or delete it.
        this.#scans.delete(scan.index);
        await Promise.allSettled([removeFolder(path, () => {})]);
        throw error;
      }
      return this.scan(scan.index).scan;
    });
  }

  /** Changes a scan's state at once, in the order of the calls, and resolves when the disk has it. */
  async updateScan(index: number, change: (scan: Scan) => Partial<Scan>): Promise<Scan> {
    this.#requireWritable();
    const folder = this.scan(index);
    folder.change(change(folder.scan));
    return this.changeScan(index, () => folder.save(), { saveProject: true });
  }

  /** Runs a job on a scan's files in turn and answers with the scan's state after it. */
  changeScan(
    index: number,
    job: (folder: ScanFolder) => Promise<void>,
    { saveProject = false }: { readonly saveProject?: boolean } = {},
  ): Promise<Scan> {
    return this.#turns.run(async () => {
      this.#requireWritable();
      const folder = this.scan(index);
      await job(folder);
      this.#stale = true;
      if (saveProject) await this.#save();
      return folder.scan;
    });
  }

  /** @param guard throws when the scan must not be deleted now */
  deleteScan(index: number, guard: (scan: Scan) => void): Promise<void> {
    return this.#turns.run(async () => {
      this.#requireWritable();
      const folder = this.scan(index);
      guard(folder.scan);
      this.#scans.delete(index);
      await removeFolder(folder.path, () => this.#scans.set(index, folder));
      this.#stale = true;
      await this.#save();
    });
  }

  /** Writes a file that belongs to the project itself. */
  saveFile(name: string, content: Uint8Array): Promise<void> {
    return this.#turns.run(async () => {
      this.#requireWritable();
      await store(join(this.path, name), content);
    });
  }

  /**
   * Removes the project; whatever waits for its turn finds it gone.
   *
   * @param guard throws when the project must not be deleted now
   */
  remove(guard: (project: Project) => void): Promise<void> {
    return this.#turns.run(async () => {
      this.#requireThere();
      guard(this.project);
      this.#removed = true;
      await removeFolder(this.path, () => {
        this.#removed = false;
      });
    });
  }

  /** Resolves when everything asked for so far is on the disk. */
  flush(): Promise<void> {
    return this.#turns.run(async () => {
      if (this.#removed) return;
      for (const folder of this.#scans.values()) await folder.save();
      await this.#save();
    });
  }

  async #save(): Promise<void> {
    if (!this.#stale || this.#trouble !== undefined) return;
    await store(join(this.path, projectFile), encodeProject(this.#fields, this.#sorted()));
    this.#stale = false;
  }

  #sorted(): Scan[] {
    return [...this.#scans.values()].map(({ scan }) => scan).toSorted((a, b) => a.index - b.index);
  }

  #newScan(index: number, request: NewScan): Scan {
    const now = timestamp(this.#clock);
    return {
      project_name: this.#fields.name,
      index,
      created: now,
      status: "pending",
      settings: withoutNullBounds(request.settings),
      camera_name: request.camera_name,
      camera_settings: structuredClone(request.camera_settings),
      current_step: 0,
      system_message: null,
      last_updated: now,
      description: request.description,
      duration: 0,
      total_size_bytes: 0,
      stacked_size_bytes: 0,
      photos: [],
      task_id: null,
      stacking_task_status: null,
    };
  }

  #requireThere(): void {
    if (!this.#removed) return;
    throw new ScanError("not_found", `project ${JSON.stringify(this.#fields.name)} does not exist`);
  }

  #requireWritable(): void {
    this.#requireThere();
    if (this.#trouble === undefined) return;
    throw new ScanError("conflict", `${join(this.path, projectFile)} is kept as it is: ${this.#trouble}`);
  }
}
