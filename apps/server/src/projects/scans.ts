import {
  type Project,
  type Scan,
  ScanError,
  ScanRequest,
  type ScanSettings,
  type Task,
  terminalStatuses,
} from "@openscan/protocol";
import type { TaskManager } from "@openscan/tasks";
import { requireReachable, scanPoints } from "../tasks/scan-plan.js";
import { scanTaskArguments, scanTaskType } from "../tasks/scan-task.js";
import type { Scanner } from "../tasks/scanner.js";
import type { ScanAddress } from "./layout.js";
import type { ProjectStore } from "./project-store.js";

export interface ScansOptions {
  readonly device: Scanner;
  readonly store: ProjectStore;
  readonly tasks: TaskManager;
}

export interface ScanOrder {
  readonly settings: ScanSettings;
  readonly camera_name: string;
  readonly description: string | null;
}

/** What clients do with scans: each is a stored record and the task that works on it. */
export class Scans {
  readonly #device: Scanner;
  readonly #store: ProjectStore;
  readonly #tasks: TaskManager;

  constructor({ device, store, tasks }: ScansOptions) {
    this.#device = device;
    this.#store = store;
    this.#tasks = tasks;
  }

  /**
   * Stores a scan and queues its task. What can be known to fail is refused before anything is stored.
   *
   * @throws ScanError `not_found` for the project or camera, `bad_request` for a format that the
   * camera does not deliver, `invalid` or `out_of_range` for the settings
   */
  async start(project: string, { settings, camera_name, description }: ScanOrder): Promise<Task> {
    const { name } = this.#store.get(project);
    const camera = this.#device.camera(camera_name);
    requireSensible(settings);
    camera.requireFormat(settings.image_format);
    requireReachable(scanPoints(settings, this.#device.status().scan_radius_mm), this.#device);
    const camera_settings = camera.settings.get();
    const scan = await this.#store.createScan(name, { settings, camera_name, camera_settings, description });
    try {
      return await this.#tasks.create(scanTaskType, scanTaskArguments(scan));
    } catch (error) {
      await Promise.allSettled([this.#store.deleteScan(name, scan.index, () => {})]);
      throw error;
    }
  }

  /** @throws ScanError `conflict` when the scan has no task */
  pause(project: string, index: number): Task {
    return this.#tasks.pause(this.#requireTask(project, index).id);
  }

  /** @throws ScanError `conflict` when the scan has no task */
  cancel(project: string, index: number): Task {
    return this.#tasks.cancel(this.#requireTask(project, index).id);
  }

  /**
   * Lets a paused scan go on, and starts one that was stopped again with the positions that it still lacks.
   *
   * @param cameraName the scan's camera, or `default` for whichever that is
   * @throws ScanError `conflict` for another camera, and for a scan that runs or is complete
   */
  async resume(project: string, index: number, cameraName: string): Promise<Task> {
    const scan = this.#store.scan(project, index);
    if (cameraName !== "default") this.#device.camera(cameraName);
    if (cameraName !== "default" && scan.camera_name !== cameraName) {
      throw new ScanError(
        "conflict",
        `${label(scan)} was made with camera ${scan.camera_name}, not ${cameraName}`,
      );
    }
    if (scan.status === "completed")
      throw new ScanError("conflict", `${label(scan)} is complete: there is nothing to resume`);
    const task = this.#task(scan);
    if (!task || task.status === "completed")
      return this.#tasks.create(scanTaskType, scanTaskArguments(scan));
    if (task.status === "paused") return this.#tasks.resume(task.id);
    if (terminalStatuses.has(task.status)) return this.#tasks.restart(task.id);
    throw new ScanError("conflict", `${label(scan)} is ${task.status} already`);
  }

  /** @throws ScanError `not_found` when the scan has no task, or its task has been removed */
  task(project: string, index: number): Task {
    const scan = this.#store.scan(project, index);
    const task = this.#task(scan);
    if (task) return task;
    throw new ScanError("not_found", `${label(scan)} has no task`);
  }

  /** @throws ScanError `conflict` while a task works on the scan */
  async deleteScan(project: string, index: number): Promise<void> {
    await this.#store.deleteScan(project, index, (scan) => this.#requireIdleScan(scan));
  }

  /**
   * A task that works on the scan counts its photos: one that vanished would be missed until the task's end.
   *
   * @throws ScanError `conflict` while a task works on the scan; `bad_request` for what is no relative path
   */
  async deletePhotos(project: string, index: number, files: readonly string[]): Promise<void> {
    await this.#store.deletePhotos(project, index, files, (scan) => this.#requireIdleScan(scan));
  }

  /** @throws ScanError `conflict` while a task works on the project */
  async deleteProject(project: string): Promise<void> {
    await this.#store.delete(project, ({ name }: Project) => {
      this.#requireIdle(`project ${JSON.stringify(name)}`, (task) => projectOf(task) === name);
    });
  }

  #requireIdleScan(scan: Scan): void {
    const address = { project: scan.project_name, index: scan.index };
    this.#requireIdle(label(scan), (task) => isSame(scanOf(task), address));
  }

  #requireIdle(thing: string, concerns: (task: Task) => boolean): void {
    const active = this.#tasks.list().find((task) => !terminalStatuses.has(task.status) && concerns(task));
    if (!active) return;
    throw new ScanError(
      "conflict",
      `${thing} is in use: task ${active.id} is ${active.status}; cancel it first`,
    );
  }

  #task(scan: Scan): Task | undefined {
    return scan.task_id === null ? undefined : this.#tasks.get(scan.task_id);
  }

  #requireTask(project: string, index: number): Task {
    const scan = this.#store.scan(project, index);
    const task = this.#task(scan);
    if (task) return task;
    throw new ScanError("conflict", `${label(scan)} has no task`);
  }
}

/** The scan that a task works on, told by its arguments: a scan's own, or a project's name and an index. */
export function scanOf({ run_args: [first, second] }: Task): ScanAddress | undefined {
  if (typeof first === "string" && typeof second === "number") {
    return { project: first.normalize("NFC"), index: second };
  }
  if (typeof first !== "object" || first === null || !("project_name" in first && "index" in first))
    return undefined;
  const { project_name, index } = first;
  if (typeof project_name !== "string" || typeof index !== "number") return undefined;
  return { project: project_name.normalize("NFC"), index };
}

/** Name of the project that a task works on, if it does. */
export function projectOf(task: Task): string | undefined {
  const [first] = task.run_args;
  return scanOf(task)?.project ?? (typeof first === "string" ? first.normalize("NFC") : undefined);
}

function isSame(one: ScanAddress | undefined, other: ScanAddress): boolean {
  return one?.project === other.project && one.index === other.index;
}

/** @throws ScanError `invalid` when the settings contradict each other */
function requireSensible(settings: ScanSettings): void {
  const { error } = ScanRequest.safeParse(settings);
  if (error) throw new ScanError("invalid", error.issues.map(({ message }) => message).join("; "));
}

function label({ project_name, index }: Scan): string {
  return `scan ${index} of project ${JSON.stringify(project_name)}`;
}
