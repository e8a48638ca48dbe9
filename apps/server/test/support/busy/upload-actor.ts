import type { Project, Task } from "@openscan/protocol";
import { expect } from "vitest";
import { type Api, became } from "../api.js";
import type { FakeCloud } from "../cloud.js";
import { unzipped } from "../cloud-bench.js";
import { type Actor, done, type Reported } from "./actor.js";

const path = "/latest/projects/cloudy";

/** Uploads a project, takes it back, and uploads it again. */
export class UploadActor implements Actor {
  readonly #cloud: FakeCloud;
  /** Of the project, by their names in the archive. */
  readonly #photos: ReadonlyMap<string, string>;
  readonly #reported: Reported;
  #isConfigured = false;
  /** Name of the remote project that it was reported to be uploaded as; null when it was taken back. */
  #reportedAs: string | null | undefined;
  #uploads = 0;

  constructor(cloud: FakeCloud, photos: ReadonlyMap<string, string>, reported: Reported) {
    this.#cloud = cloud;
    this.#photos = photos;
    this.#reported = reported;
  }

  async work(api: Api, gone: AbortSignal): Promise<void> {
    try {
      while (!gone.aborted) await this.uploadOnce(api);
    } catch (error) {
      if (!gone.aborted) throw error;
    }
  }

  /** Takes back what was uploaded, and brings the next upload to its end. */
  async uploadOnce(api: Api): Promise<void> {
    if (!this.#isConfigured) {
      await done(api, "POST", "/latest/cloud/settings", this.#cloud.settings({ split_size: 50_000 }));
      this.#isConfigured = true;
    }
    const { uploaded } = await done<Project>(api, "GET", path);
    if (uploaded) await this.#takeBack(api);
    const stream = await api.listen("tasks");
    try {
      this.#reportedAs = undefined;
      const task = await this.#underWay(api);
      await stream.find(became(task.id, "completed"));
    } finally {
      stream.socket.terminate();
    }
    const { cloud_project_name } = await done<Project>(api, "GET", path);
    this.#reportedAs = cloud_project_name;
    this.#uploads++;
    this.#reported();
  }

  async verify(api: Api): Promise<void> {
    if (this.#reportedAs === undefined) return;
    const project = await done<Project>(api, "GET", path);
    const { uploaded, cloud_project_name } = project;
    if (this.#reportedAs === null) expect(uploaded).toBe(false);
    else {
      expect({ uploaded, cloud_project_name }).toEqual({
        uploaded: true,
        cloud_project_name: this.#reportedAs,
      });
      expect(await unzipped(this.#cloud.archive(this.#reportedAs))).toEqual(this.#photos);
    }
  }

  get uploads(): number {
    return this.#uploads;
  }

  async #takeBack(api: Api): Promise<void> {
    this.#reportedAs = undefined;
    await done(api, "DELETE", "/latest/cloud/projects/cloudy");
    this.#reportedAs = null;
    this.#reported();
  }

  async #underWay(api: Api): Promise<Task> {
    const tasks = await done<Task[]>(api, "GET", "/latest/tasks/");
    const interrupted = tasks.find(
      ({ task_type, status }) => task_type === "cloud_upload_task" && status === "interrupted",
    );
    if (interrupted) return done(api, "POST", `/latest/tasks/${interrupted.id}/resume`);
    return done(api, "POST", `${path}/upload`);
  }
}
