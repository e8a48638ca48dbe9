import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { DeviceConfiguration, Scan, Task } from "@openscan/protocol";
import sharp from "sharp";
import { expect, test } from "vitest";
import { became, taskOf } from "./support/api.js";
import { quickConfiguration } from "./support/folder.js";
import { startServer } from "./support/in-process.js";

const stacking = (verb: string, mount = "/v0.9") => `${mount}/projects/vase/scans/1/focus-stacking/${verb}`;

/** Near enough for the object to reach from one end of the focus range to the other. */
async function nearConfiguration(size: [number, number], depth_blur = true): Promise<DeviceConfiguration> {
  const configuration = await quickConfiguration();
  configuration.scan_radius_mm = 90;
  for (const camera of Object.values(configuration.cameras)) {
    Object.assign(camera, { driver: { kind: "simulated", depth_blur } });
    Object.assign(camera.settings, { photo_resolution: size, orientation_flag: 6 });
  }
  return configuration;
}

/** For what does not depend on how sharp a photo is: depth blur takes its time. */
const sharpConfiguration = () => nearConfiguration([320, 240], false);

const stacks = { points: 2, min_theta: 40, max_theta: 100, focus_stacks: 5, focus_range: [8.5, 15] };

/** A server with a finished scan of `vase`. */
async function scanned(configuration: DeviceConfiguration, settings: Record<string, unknown> = stacks) {
  const { api, folder } = await startServer(configuration);
  const tasks = await api.listen("tasks");
  const { id } = await api.startScan("vase", settings);
  await tasks.find(became(id, "completed"));
  const scanFolder = join(folder.directories.projectDir, "vase", "scan01");
  const scan = async () => (await api.call<Scan>("GET", "/v0.9/projects/vase/scans/1")).body;
  return { api, tasks, scanFolder, scan };
}

interface Grey {
  readonly width: number;
  readonly height: number;
  readonly data: Buffer;
}

async function grey(file: string | Buffer): Promise<Grey> {
  const { data, info } = await sharp(file).toColourspace("b-w").raw().toBuffer({ resolveWithObject: true });
  return { data, width: info.width, height: info.height };
}

/** Root mean square of the slopes in each square of the picture. */
function sharpness({ width, height, data }: Grey, edge: number): number[] {
  const found: number[] = [];
  for (let top = edge; top + 2 * edge <= height; top += edge) {
    for (let left = edge; left + 2 * edge <= width; left += edge) {
      let squares = 0;
      for (let y = top; y < top + edge; y++) {
        for (let x = left; x < left + edge; x++) {
          const at = y * width + x;
          squares += ((data[at + 1] as number) - (data[at - 1] as number)) ** 2;
          squares += ((data[at + width] as number) - (data[at - width] as number)) ** 2;
        }
      }
      found.push(Math.sqrt(squares) / edge);
    }
  }
  return found;
}

function decibels(one: Grey, other: Grey): number {
  const squares = one.data.reduce(
    (sum, value, index) => sum + (value - (other.data[index] as number)) ** 2,
    0,
  );
  return 10 * Math.log10((255 * 255 * one.data.length) / squares);
}

test("a stacked photo is better than each of its photos, everywhere and on the whole", async () => {
  const size: [number, number] = [640, 480];
  const { api, tasks, scan, scanFolder } = await scanned(await nearConfiguration(size));
  const { body: task } = await api.call<Task>("POST", stacking("start"));
  const end = taskOf(await tasks.find(became(task.id, "completed", "error")));
  expect(end).toMatchObject({
    name: "focus_stacking_task",
    progress: { current: 2, total: 2 },
    result: { output_directory: "stacked", stacked_image_count: 2, skipped: [] },
  });
  const listed = (await scan()).photos.filter((photo) => photo.startsWith("stacked/"));
  expect(listed).toEqual((end.result as { output_paths: string[] }).output_paths);
  expect((await scan()).stacking_task_status).toEqual({ task_id: task.id, status: "completed" });

  // What a camera without depth of field sees, focused as the middle photo: what a stack should look like.
  const sharpCamera = await scanned(await nearConfiguration(size, false));
  for (let step = 0; step < 2; step++) {
    const name = `scan01_00${step}`;
    const file = join(scanFolder, `stacked/stacked_${name}.jpg`);
    expect(await sharp(file).metadata()).toMatchObject({ width: 640, height: 480, orientation: 6 });
    const result = await grey(file);
    const singles = await Promise.all(
      [0, 1, 2, 3, 4].map((k) => grey(join(scanFolder, `${name}_fs0${k}.jpg`))),
    );
    const truth = await grey(join(sharpCamera.scanFolder, `${name}_fs02.jpg`));
    const bestSingle = Math.max(...singles.map((single) => decibels(single, truth)));
    expect(decibels(result, truth)).toBeGreaterThan(bestSingle + 2);

    const inSquares = singles.map((single) => sharpness(single, 80));
    const inTruth = sharpness(truth, 80);
    const relative = sharpness(result, 80).flatMap((value, square) => {
      const sharpest = Math.max(...inSquares.map((values) => values[square] as number));
      // Black squares show noise alone. A photo of another scale may have an outline in a square that has none.
      return sharpest > 6 ? [value / Math.min(sharpest, inTruth[square] as number)] : [];
    });
    expect(relative.length).toBeGreaterThan(4);
    // Outlines of the simulated figure are steps without a transition; between pixels they lose a little.
    expect(Math.min(...relative)).toBeGreaterThan(0.9);
  }
}, 180_000);

test("defect 32: while a scan is being photographed it is not stacked; other scans are, beside it", async () => {
  const { api, tasks, scan } = await scanned(await sharpConfiguration());
  const second = await api.startScan("vase", { ...stacks, points: 60 });
  await tasks.find(
    (message) => became(second.id, "running")(message) && taskOf(message).progress.current >= 1,
  );
  const other = "/latest/projects/vase/scans/2/focus-stacking/start";
  expect(await api.call("POST", other)).toMatchObject({
    status: 409,
    body: { detail: expect.stringContaining("is being photographed") as string },
  });
  await api.call("POST", `/latest/tasks/${second.id}/pause`);
  expect((await api.call("POST", other)).status).toBe(409);
  await api.call("POST", `/latest/tasks/${second.id}/resume`);

  const { body: first } = await api.call<Task>("POST", stacking("start"));
  await tasks.find(became(first.id, "completed"));
  expect((await api.call<Task>("GET", `/latest/tasks/${second.id}`)).body.status).toBe("running");
  expect((await scan()).photos).toContain("stacked/stacked_scan01_001.jpg");

  await api.call("DELETE", `/latest/tasks/${second.id}`);
  await tasks.find(
    (message) => became(second.id, "cancelled")(message) && taskOf(message).completed_at !== null,
  );
  const { status, body } = await api.call<Task>("POST", other);
  expect(status).toBe(200);
  expect((await tasks.find(became(body.id, "completed", "error"))).type).toBe("task.update");
  expect((await api.call<Task>("GET", `/latest/tasks/${body.id}`)).body.status).toBe("completed");
}, 180_000);

test("pause, resume and cancel, on every mount; a deleted scan and one that has no task", async () => {
  const { api, tasks, scan, scanFolder } = await scanned(await sharpConfiguration(), {
    ...stacks,
    points: 5,
  });
  for (const verb of ["pause", "resume", "cancel"])
    expect((await api.call("PATCH", stacking(verb))).status).toBe(409);
  const { body: task } = await api.call<Task>("POST", stacking("start", "/v0.8"));
  expect((await api.call<Task>("POST", stacking("start", "/next"))).body.id).toBe(task.id);
  await tasks.find((message) => became(task.id, "running")(message) && taskOf(message).progress.current >= 1);
  expect((await api.call("PATCH", stacking("pause", "/v0.8"))).body).toMatchObject({ status: "paused" });
  expect((await scan()).stacking_task_status).toEqual({ task_id: task.id, status: "paused" });
  expect((await api.call("DELETE", "/latest/projects/vase/scans/1")).status).toBe(409);
  expect((await api.call("PATCH", stacking("resume", "/next"))).body).toMatchObject({ status: "running" });
  expect((await api.call("PATCH", stacking("cancel"))).body).toMatchObject({ status: "cancelled" });
  await tasks.find(
    (message) => became(task.id, "cancelled")(message) && taskOf(message).completed_at !== null,
  );

  const files = (await readdir(join(scanFolder, "stacked"))).filter(
    (file) => !file.startsWith("calibration_"),
  );
  const listed = (await scan()).photos.filter((photo) => photo.startsWith("stacked/"));
  expect(files.map((file) => `stacked/${file}`).sort()).toEqual(listed.sort());
  for (const file of listed)
    expect((await sharp(await readFile(join(scanFolder, file))).stats()).channels).toHaveLength(3);
  expect((await scan()).stacking_task_status).toEqual({ task_id: task.id, status: "cancelled" });

  expect((await api.call("DELETE", "/latest/projects/vase/scans/1")).status).toBe(200);
  expect((await api.call("POST", stacking("start"))).status).toBe(404);
  for (const verb of ["pause", "resume", "cancel"])
    expect((await api.call("PATCH", stacking(verb))).status).toBe(404);
}, 180_000);

test("a scan without stacks cannot be stacked", async () => {
  const { api } = await scanned(await sharpConfiguration(), { points: 2 });
  expect(await api.call("POST", stacking("start"))).toMatchObject({
    status: 409,
    body: { detail: 'scan 1 of project "vase" has no position with all photos of a focus stack' },
  });
});
