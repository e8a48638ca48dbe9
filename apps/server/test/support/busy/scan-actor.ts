import type { Project, Scan, Task } from "@openscan/protocol";
import { expect } from "vitest";
import { type Api, became, type Message } from "../api.js";
import { type Actor, done, type Reported } from "./actor.js";

const project = "vase";
const points = 25;

/** Scans, one scan after the other, and goes on with the one that a kill has interrupted. */
export class ScanActor implements Actor {
  /** `scan/file` of every photo that was told of. */
  readonly photos = new Set<string>();
  /** The newest progress that was told of each scan. */
  readonly #progress = new Map<number, number>();
  readonly #completed = new Set<number>();
  /** Resumes alternate between the two routes. */
  #resumes = 0;
  readonly #reported: Reported;

  constructor(reported: Reported) {
    this.#reported = reported;
  }

  async work(api: Api, gone: AbortSignal): Promise<void> {
    try {
      while (!gone.aborted) await this.scanOnce(api);
    } catch (error) {
      if (!gone.aborted) throw error;
    }
  }

  /** Brings the newest scan to its end, or makes another one. */
  async scanOnce(api: Api): Promise<void> {
    const stream = await api.listen("tasks", "/latest", "?v=1");
    stream.socket.on("message", (frame) => this.#hear(JSON.parse((frame as Buffer).toString()) as Message));
    try {
      const task = await this.#underWay(api);
      await stream.find(became(task.id, "completed"));
      this.#completed.add(indexOf(task));
    } finally {
      stream.socket.terminate();
    }
  }

  async verify(api: Api): Promise<void> {
    const all = await done<Record<string, Project>>(api, "GET", "/latest/projects/");
    const scans = Object.values(all[project]?.scans ?? {});
    const listed = new Set(scans.flatMap(({ index, photos }) => photos.map((file) => `${index}/${file}`)));
    expect([...this.photos].filter((photo) => !listed.has(photo))).toEqual([]);
    for (const scan of scans) this.#verifyScan(scan);
  }

  #verifyScan({ index, status, current_step, photos }: Scan): void {
    expect(new Set(photos).size).toBe(photos.length);
    expect({ index, current_step }).toEqual({
      index,
      current_step: expect.toSatisfy((step: number) => step >= (this.#progress.get(index) ?? 0)),
    });
    expect(["interrupted", "completed"]).toContain(status);
    if (this.#completed.has(index)) expect({ index, status }).toEqual({ index, status: "completed" });
    if (status === "completed") expect({ index, photos: photos.length }).toEqual({ index, photos: points });
  }

  async #underWay(api: Api): Promise<Task> {
    const all = await done<Record<string, Project>>(api, "GET", "/latest/projects/");
    const interrupted = Object.values(all[project]?.scans ?? {}).find(
      ({ status }) => status === "interrupted",
    );
    if (!interrupted) return api.startScan(project, { points });
    const { index, task_id } = interrupted;
    if (this.#resumes++ % 2 === 0)
      return done(
        api,
        "PATCH",
        `/latest/projects/${project}/scans/${index}/resume?camera_name=simulated_camera`,
      );
    const resumed = await api.call<Task>("POST", `/latest/tasks/${task_id}/resume`);
    // Its task may have been killed before its record was on the disk, or after it had completed.
    if (resumed.status === 200) return resumed.body;
    expect(resumed.status).toBe(404);
    return done(
      api,
      "PATCH",
      `/latest/projects/${project}/scans/${index}/resume?camera_name=simulated_camera`,
    );
  }

  #hear(message: Message): void {
    if (message.type === "photo.captured" && message["project"] === project) {
      this.photos.add(`${message["scan"] as number}/${message["file"] as string}`);
      this.#reported();
    }
    if (message.type !== "task.update") return;
    const task = message["task"] as Task;
    if (task.task_type !== "scan_task" || task.status !== "running") return;
    this.#progress.set(
      indexOf(task),
      Math.max(this.#progress.get(indexOf(task)) ?? 0, task.progress.current),
    );
  }
}

function indexOf({ run_args: [scan] }: Task): number {
  return (scan as { index: number }).index;
}
