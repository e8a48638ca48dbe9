import type { CameraSettings, MotorStatus, Scan, Task } from "@openscan/protocol";
import { expect, onTestFinished, test } from "vitest";
import { type Api, became } from "./support/api.js";
import { spawnServer } from "./support/child.js";
import { createFolder, quickConfiguration } from "./support/folder.js";

const scan = "/latest/projects/vase/scans/1";

async function get<T>(api: Api, path: string): Promise<T> {
  return (await api.call<T>("GET", path)).body;
}

test.each([
  ["POST", (id: string) => `/latest/tasks/${id}/resume`],
  ["PATCH", () => `${scan}/resume?camera_name=simulated_camera`],
] as const)(
  "defect 9: after a kill %s … resumes a stacked scan: calibrated again, nothing lost, the focus given back",
  async (method, path) => {
    const configuration = await quickConfiguration();
    const folder = await createFolder({ ...configuration, calibrate_mode: "calibrate_on_scan" });
    onTestFinished(() => folder.remove());

    const first = await spawnServer(folder);
    const before = await get<CameraSettings>(first.api, "/latest/cameras/simulated_camera/settings");
    expect(await get(first.api, "/latest/motors/rotor")).toMatchObject({ calibrated: false });
    const photos = await first.api.listen("tasks", "/latest", "?v=1&types=photo.captured");
    const { id } = await first.api.startScan("vase", { points: 5, focus_stacks: 2, focus_range: [9, 14] });
    await photos.count(3, ({ type }) => type === "photo.captured");
    expect(await get(first.api, "/latest/motors/rotor")).toMatchObject({ calibrated: true });
    expect(await get(first.api, "/latest/cameras/simulated_camera/settings")).toMatchObject({ AF: false });
    expect(await get(first.api, scan)).toMatchObject({ status: "running", task_id: id });
    await first.stop("SIGKILL");

    const second = await spawnServer(folder);
    expect(await get(second.api, "/latest/motors/rotor")).toMatchObject({ calibrated: false, angle: 90 });
    expect(await get(second.api, "/latest/cameras/simulated_camera/settings")).toEqual(before);
    const interrupted = await get<Scan>(second.api, scan);
    expect(interrupted).toMatchObject({ status: "interrupted", task_id: id });
    expect(interrupted.photos.length).toBeGreaterThanOrEqual(3);
    expect(await get(second.api, `/latest/tasks/${id}`)).toMatchObject({ status: "interrupted" });

    const tasks = await second.api.listen("tasks");
    const { status, body: resumed } = await second.api.call<Task>(method, path(id));
    expect({ status, id: resumed.id }).toEqual({ status: 200, id });
    await tasks.find(became(id, "completed"));
    const completed = await get<Scan>(second.api, scan);
    expect(completed).toMatchObject({ status: "completed", current_step: 5, system_message: null });
    expect(completed.photos.slice(0, interrupted.photos.length)).toEqual(interrupted.photos);
    expect(new Set(completed.photos).size).toBe(10);
    expect(await get(second.api, "/latest/cameras/simulated_camera/settings")).toEqual(before);
    const rotor = await get<MotorStatus>(second.api, "/latest/motors/rotor");
    expect(rotor).toMatchObject({ calibrated: true, busy: false, angle: expect.closeTo(90, 0) });
  },
  120_000,
);
