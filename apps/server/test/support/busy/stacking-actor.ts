import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { CameraSettings, type Scan, ScanSettings, type Task } from "@openscan/protocol";
import sharp from "sharp";
import { expect } from "vitest";
import { calibrationName, photoName, stackedFolder, stackedName } from "../../../src/projects/layout.js";
import type { ProjectStore } from "../../../src/projects/project-store.js";
import { StackingCalibration } from "../../../src/projects/stacking-calibration.js";
import { type Api, became, type Message, taskOf } from "../api.js";
import { type Actor, done, type Reported } from "./actor.js";

const project = "focus";
const index = 1;
const path = `/v0.9/projects/${project}/scans/${index}`;
const positions = [0, 1, 2];
const focusStacks = 2;
const stackedPhotos = positions.map((step) => stackedName(index, step));

/** When each stacked photo was written of which the newest calibration knows. */
type Made = Readonly<Record<string, number>>;

/** Stacks the photos of a scan, again and again, and goes on with a set that a kill has interrupted. */
export class StackingActor implements Actor {
  /** How often a set went on that was begun before a kill. */
  continued = 0;
  readonly #folder: string;
  readonly #reported: Reported;
  /** Positions that the newest run has told to be stacked. */
  #told = 0;
  #completed = false;
  /** Of a set that was interrupted; these photos are not to be made again. */
  #kept: Made = {};

  /** @param projectDir where `focusProject` was stored */
  constructor(projectDir: string, reported: Reported) {
    this.#folder = join(projectDir, project, "scan01");
    this.#reported = reported;
  }

  async work(api: Api, gone: AbortSignal): Promise<void> {
    try {
      while (!gone.aborted) await this.stackOnce(api);
    } catch (error) {
      if (!gone.aborted) throw error;
    }
  }

  /** Brings the set that was begun to its end, or makes all of it anew. */
  async stackOnce(api: Api): Promise<void> {
    const stream = await api.listen("tasks", "/latest", "?v=1&types=task.update");
    try {
      const task = await this.#start(api);
      stream.socket.on("message", (frame) =>
        this.#hear(JSON.parse((frame as Buffer).toString()) as Message, task),
      );
      for (const message of stream.messages) this.#hear(message, task);
      const end = taskOf(await stream.find(became(task.id, "completed", "error", "cancelled")));
      expect(end).toMatchObject({ status: "completed", result: { skipped: [] } });
    } finally {
      stream.socket.terminate();
    }
    const { photos, stacking_task_status } = await done<Scan>(api, "GET", path);
    expect(photos).toEqual(expect.arrayContaining(stackedPhotos));
    expect(stacking_task_status).toMatchObject({ status: "completed" });
    this.#completed = true;
    this.#reported();
    await this.#verifyKept();
    this.#kept = {};
  }

  async verify(api: Api): Promise<void> {
    const { photos, stacking_task_status, stacked_size_bytes } = await done<Scan>(api, "GET", path);
    expect(new Set(photos).size).toBe(photos.length);
    const originals = photos.filter((photo) => !photo.startsWith(`${stackedFolder}/`));
    expect(originals).toHaveLength(positions.length * focusStacks);
    const stacked = photos.filter((photo) => photo.startsWith(`${stackedFolder}/`)).toSorted();
    const files = await this.#stackedFiles();
    // Nothing but them and the calibration; that pictures and JSON are whole is what `Files` looks at.
    expect([...stacked, calibrationName(index)]).toEqual(expect.arrayContaining([...files.keys()]));
    expect([...files.keys()]).toEqual(expect.arrayContaining(stacked));
    expect(stackedPhotos).toEqual(expect.arrayContaining(stacked));
    expect(stacked_size_bytes).toBe(stacked.reduce((sum, file) => sum + (files.get(file)?.size ?? 0), 0));

    const made = await this.#made();
    expect(Object.keys(made).length).toBeGreaterThanOrEqual(this.#told);
    const isWhole = Object.keys(made).length === positions.length;
    const status = stacking_task_status?.status ?? "none";
    if (status === "completed") expect(isWhole).toBe(true);
    // What was told to be completed stays so; what was not may have come to its end before the kill.
    if (this.#completed) expect(status).toBe("completed");
    else expect(["none", "interrupted", "completed"]).toContain(status);
    if (status === "none") expect(stacked).toEqual([]);
    await this.#verifyKept();
    this.#kept = isWhole ? {} : made;
  }

  async #start(api: Api): Promise<Task> {
    const tasks = await done<Task[]>(api, "GET", "/latest/tasks/");
    const interrupted = tasks.find(
      ({ task_type, status }) => task_type === "focus_stacking_task" && status === "interrupted",
    );
    this.#told = 0;
    this.#completed = false;
    const task = await done<Task>(api, "POST", `${path}/focus-stacking/start`);
    if (interrupted) expect(task.id).toBe(interrupted.id);
    if (Object.keys(this.#kept).length > 0) this.continued++;
    return task;
  }

  #hear(message: Message, { id }: Task): void {
    if (message.type !== "task.update") return;
    const task = taskOf(message);
    if (task.id !== id || task.status !== "running" || task.progress.current <= this.#told) return;
    this.#told = task.progress.current;
    this.#reported();
  }

  async #verifyKept(): Promise<void> {
    expect(await this.#made()).toMatchObject(this.#kept);
  }

  async #made(): Promise<Made> {
    const files = await this.#stackedFiles();
    const calibration = files.get(calibrationName(index));
    if (!calibration) return {};
    const text = await readFile(join(this.#folder, calibrationName(index)), "utf8");
    const { scan_index, transforms } = StackingCalibration.parse(JSON.parse(text));
    expect({ scan_index, transforms: transforms.length }).toEqual({
      scan_index: index,
      transforms: focusStacks,
    });
    const made = [...files].filter(
      ([file, { mtimeMs }]) => file.endsWith(".jpg") && mtimeMs >= calibration.mtimeMs,
    );
    return Object.fromEntries(made.map(([file, { mtimeMs }]) => [file, mtimeMs]));
  }

  /** By their paths in the scan's folder. */
  async #stackedFiles() {
    const names = await readdir(join(this.#folder, stackedFolder)).catch(() => []);
    const files = names.map((name) => `${stackedFolder}/${name}`);
    const found = await Promise.all(
      files.map(async (file) => [file, await stat(join(this.#folder, file))] as const),
    );
    return new Map(found);
  }
}

/** A project with a scan of a few stacks, of which one photo is sharp and the other one blurred. */
export async function addFocusProject(store: ProjectStore): Promise<void> {
  await store.create(project, null);
  const camera_settings = CameraSettings.parse({});
  const settings = ScanSettings.parse({ points: positions.length, focus_stacks: focusStacks });
  await store.createScan(project, { settings, camera_name: "front", camera_settings, description: null });
  for (const step of positions) {
    for (let stack = 0; stack < focusStacks; stack++) {
      const metadata = {
        format: "jpeg" as const,
        camera_metadata: { camera_name: "front", camera_settings, raw_metadata: {} },
        scan_metadata: null,
      };
      const file = photoName(index, { step, stack }, ".jpg");
      await store.savePhoto(project, index, { file, bytes: await spots(step, stack), metadata, seconds: 1 });
    }
  }
  await store.updateScan(project, index, () => ({ status: "completed", current_step: positions.length }));
}

async function spots(step: number, stack: number): Promise<Uint8Array> {
  const [width, height] = [20, 15];
  const grey = Uint8Array.from({ length: width * height }, (_, at) => (at * at * (7 + step)) % 251);
  const picture = sharp(grey, { raw: { width, height, channels: 1 } }).resize(8 * width, 8 * height);
  return (stack === 0 ? picture : picture.blur(2)).jpeg().toBuffer();
}
