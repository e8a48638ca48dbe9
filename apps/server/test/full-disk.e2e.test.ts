import { join } from "node:path";
import type { Scan, Task } from "@openscan/protocol";
import { expect, onTestFinished, test } from "vitest";
import { became, taskOf } from "./support/api.js";
import { Files } from "./support/busy/files.js";
import { spawnServer } from "./support/child.js";
import { createFolder, quickConfiguration } from "./support/folder.js";
import { mountSmallDisk, smallDiskMissing } from "./support/small-disk.js";

test.skipIf(smallDiskMissing)(
  `a scan on a disk that becomes full: it pauses, everything else answers, and it goes on when there is room${smallDiskMissing}`,
  async () => {
    const { directories, remove } = await createFolder(await quickConfiguration());
    onTestFinished(remove);
    const disk = await mountSmallDisk(4 * 2 ** 20);
    const projectDir = join(disk.folder, "projects");
    const folder = { directories: { ...directories, projectDir }, remove };
    const { api, stop } = await spawnServer(folder);
    const tasks = await api.listen("tasks", "/latest", "?v=1");
    const { id } = await api.startScan("vase", { points: 8 });
    await tasks.count(2, ({ type }) => type === "photo.captured");
    await disk.fill(4096);

    const paused = taskOf(await tasks.find(became(id, "paused")));
    expect(paused.progress.message).toBe(
      `The disk of ${projectDir}/vase is full: 0.0 MB of 4.2 MB are free. Delete something there that is not needed. The scan then goes on.`,
    );
    expect((await api.call<Scan>("GET", "/latest/projects/vase/scans/1")).body).toMatchObject({
      status: "paused",
      system_message: paused.progress.message,
    });
    expect((await api.call("POST", "/latest/projects/bowl")).status).toBe(507);
    const more = await api.call("POST", "/latest/projects/vase/scan?camera_name=simulated_camera", {});
    expect(more.status).toBe(507);
    expect((await api.call("DELETE", "/latest/projects/vase/scans/1")).status).toBe(409);
    expect((await api.call("DELETE", "/latest/projects/vase")).status).toBe(409);
    expect((await api.call("GET", "/health")).status).toBe(200);
    expect((await api.call<Task[]>("GET", "/latest/tasks/")).body).toHaveLength(1);

    await disk.free();
    await api.call("POST", `/latest/tasks/${id}/resume`);
    await tasks.find(became(id, "completed"));
    const { body: scan } = await api.call<Scan>("GET", "/latest/projects/vase/scans/1");
    expect(scan).toMatchObject({ status: "completed", current_step: 8, system_message: null });
    expect(new Set(scan.photos).size).toBe(8);
    expect(await stop("SIGTERM")).toBe(0);
    expect(await new Files(folder).problems()).toEqual([]);
  },
  120_000,
);
