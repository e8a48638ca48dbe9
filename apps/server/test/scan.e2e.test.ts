import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { PhotoMetadata, type Project, Scan, ScanPath, type Task } from "@openscan/protocol";
import sharp from "sharp";
import { expect, test } from "vitest";
import { became, taskOf } from "./support/api.js";
import { startServer } from "./support/in-process.js";

test("a scan: every step is heard on every mount, photos and metadata lie in the project", async () => {
  const { api, folder } = await startServer();
  const listeners = await Promise.all(
    ["", "/v0.8", "/v0.9", "/next", "/api/latest"].map((mount) => api.listen("tasks", mount)),
  );
  const { id } = await api.startScan("vase", { points: 20 });
  for (const listener of listeners) await listener.find(became(id, "completed"));

  const heard = listeners[0]?.messages.filter(({ type }) => type === "task.update").map(taskOf) ?? [];
  expect(heard.map(({ status }) => status).slice(0, 2)).toEqual(["pending", "running"]);
  expect(heard.at(-1)).toMatchObject({ status: "completed", progress: { current: 20, total: 20 } });
  const steps = heard.filter(({ status }) => status === "running").map(({ progress }) => progress.current);
  expect(steps).toEqual([...steps].sort((a, b) => a - b));
  expect(new Set(steps)).toEqual(new Set(Array.from({ length: 21 }, (_, i) => i)));
  for (const { frames } of listeners) expect(frames).toEqual(listeners[0]?.frames);

  const { body: scan } = await api.call<Scan>("GET", "/latest/projects/vase/scans/1");
  expect(scan).toMatchObject({ status: "completed", current_step: 20, task_id: id, index: 1 });
  expect(scan.photos).toHaveLength(20);
  const scanDir = join(folder.directories.projectDir, "vase", "scan01");
  expect((await readdir(scanDir)).filter((name) => name.endsWith(".jpg")).sort()).toEqual(
    [...scan.photos].sort(),
  );
  const path = ScanPath.parse(JSON.parse(await readFile(join(scanDir, "path.json"), "utf8")));
  for (const [step, photo] of scan.photos.entries()) {
    const image = await sharp(join(scanDir, photo)).metadata();
    expect(image).toMatchObject({ format: "jpeg", width: 320, height: 240 });
    const metadata = PhotoMetadata.parse(
      JSON.parse(await readFile(join(scanDir, "metadata", photo.replace(".jpg", ".json")), "utf8")),
    );
    expect(metadata.scan_metadata?.polar_coordinates).toEqual(path.points[step]?.polar);
  }
  expect(Scan.parse(JSON.parse(await readFile(join(scanDir, "scan.json"), "utf8")))).toEqual(scan);
  expect(await sharp(join(folder.directories.projectDir, "vase", "thumbnail.jpg")).metadata()).toMatchObject({
    format: "jpeg",
  });
});

test("photos, path, lists and tasks of a scan can be fetched", async () => {
  const { api, folder } = await startServer();
  const tasks = await api.listen("tasks");
  const { id, run_args } = await api.startScan("größe 2".normalize("NFD"), { points: 3 });
  expect(run_args).toMatchObject([{ project_name: "größe 2", index: 1, settings: { points: 3 } }, 0]);
  await tasks.find(became(id, "completed"));

  const address = `/v0.9/projects/${encodeURIComponent("größe 2")}`;
  const { body: projects } = await api.call<Record<string, Project>>("GET", "/v0.9/projects/");
  expect(Object.keys(projects)).toEqual(["größe 2"]);
  const photos = projects["größe 2"]?.scans["scan01"]?.photos ?? [];
  expect(photos).toHaveLength(3);
  const file = await api.bytes(`${address}/1/photo?file_only=true&filename=${photos[0]}`);
  expect(
    Buffer.compare(
      file,
      await readFile(join(folder.directories.projectDir, "größe 2", "scan01", photos[0] ?? "")),
    ),
  ).toBe(0);
  const json = await api.call<{ photo_data: string; metadata: unknown }>(
    "GET",
    `${address}/1/photo?filename=${photos[0]}`,
  );
  expect(Buffer.from(json.body.photo_data, "base64").equals(file)).toBe(true);
  expect(json.body).toMatchObject({
    content_type: "image/jpeg",
    size_bytes: file.length,
    metadata: { format: "jpeg" },
  });
  expect((await api.call<ScanPath>("GET", `${address}/scans/1/path`)).body.points).toHaveLength(3);
  expect((await api.call<Task>("GET", `${address}/scans/1/status`)).body).toMatchObject({
    id,
    status: "completed",
  });
  expect((await api.call<Task[]>("GET", `${address}/tasks`)).body.map((task) => task.id)).toEqual([id]);
  expect((await api.call("GET", `${address}/thumbnail`)).headers.get("Content-Type")).toBe("image/jpeg");
  for (const bad of ["../scan.json", "/etc/passwd", "", "..%5Cscan.json", "metadata/../scan.json"])
    expect((await api.call("GET", `${address}/1/photo?file_only=true&filename=${bad}`)).status).toBe(400);
  expect(await api.call("GET", `${address}/1/photo?file_only=true&filename=none.jpg`)).toMatchObject({
    status: 404,
    body: { detail: expect.any(String) as string },
  });
  await api.call("POST", "/v0.9/projects/empty");
  expect(await api.call("GET", "/v0.9/projects/empty/thumbnail")).toMatchObject({
    status: 404,
    body: { detail: `there is no file "thumbnail.jpg"` },
  });
});

test("pause holds the scan, resume goes on, and the routes of tasks and scans mean the same", async () => {
  const { api } = await startServer();
  const tasks = await api.listen("tasks");
  const { id } = await api.startScan("vase", { points: 6 });
  await tasks.find((message) => became(id, "running")(message) && taskOf(message).progress.current >= 1);
  expect((await api.call("POST", `/latest/tasks/${id}/pause`)).body).toMatchObject({ status: "paused" });
  expect((await api.call("GET", "/latest/projects/vase/scans/1")).body).toMatchObject({ status: "paused" });
  expect((await api.call("DELETE", "/latest/projects/vase")).status).toBe(409);
  const replace = { config_file: "default_mini_greenshield.json" };
  expect((await api.call("PUT", "/latest/device/configurations/current", replace)).status).toBe(409);
  expect((await api.call("POST", "/latest/device/configurations/current/initialize")).status).toBe(409);
  expect(
    (await api.call("PATCH", "/latest/projects/vase/scans/1/resume?camera_name=simulated_camera")).body,
  ).toMatchObject({ status: "running" });
  await tasks.find(became(id, "completed"));
  const statuses = tasks.messages.map(taskOf).map(({ status }) => status);
  expect(statuses.filter((status, i) => status !== statuses[i - 1])).toEqual([
    "pending",
    "running",
    "paused",
    "running",
    "completed",
  ]);
  expect((await api.call<Scan>("GET", "/latest/projects/vase/scans/1")).body.photos).toHaveLength(6);
});

test("motors are moved by hand only while a scan is paused, and it brings them back before its next photo", async () => {
  const { api } = await startServer();
  const tasks = await api.listen("tasks");
  const { id } = await api.startScan("vase", { points: 4 });
  await tasks.find((message) => became(id, "running")(message) && taskOf(message).progress.current >= 1);
  const acts = [
    ["PUT", "/latest/motors/turntable/angle?degrees=10"],
    ["PATCH", "/latest/motors/turntable/angle", { degrees: 10 }],
    ["PUT", "/latest/motors/turntable/angle-override?angle=10"],
    ["PUT", "/latest/motors/rotor/endstop-calibration"],
    ["PUT", "/latest/motors/rotor/home"],
    ["PUT", "/latest/develop/scanner-position", { theta: 90, fi: 0, r: 1 }],
  ] as const;
  for (const [method, path, body] of acts) {
    const { status, body: reply } = await api.call<{ detail: string }>(method, path, body);
    expect({ path, status }).toEqual({ path, status: 409 });
    expect(reply.detail).toMatch(/^cannot .* while task .* \(scan_task\) is at work; pause it first$/);
  }
  await api.call("POST", `/latest/tasks/${id}/pause`);
  await expect
    .poll(async () => (await api.call("PUT", "/latest/motors/turntable/angle?degrees=10")).status)
    .toBe(200);
  await api.call("POST", `/latest/tasks/${id}/resume`);
  await tasks.find(became(id, "completed"));
  const { body: scan } = await api.call<Scan>("GET", "/latest/projects/vase/scans/1");
  for (const photo of scan.photos) {
    const { body } = await api.call<{ metadata: PhotoMetadata }>(
      "GET",
      `/latest/projects/vase/1/photo?filename=${photo}`,
    );
    const { theta, fi } = body.metadata.scan_metadata?.polar_coordinates ?? { theta: NaN, fi: NaN };
    const { actual_position } = body.metadata.camera_metadata.raw_metadata;
    expect(actual_position).toEqual({ theta: expect.closeTo(theta, 0), fi: expect.closeTo(fi, 0) });
  }
  expect((await api.call("PUT", "/latest/motors/rotor/home")).status).toBe(200);
});

test("a cancelled scan keeps its photos, goes home, can be resumed to its end and then deleted", async () => {
  const { api } = await startServer();
  const tasks = await api.listen("tasks");
  const { id } = await api.startScan("vase", { points: 5 });
  await tasks.find((message) => became(id, "running")(message) && taskOf(message).progress.current >= 2);
  expect((await api.call("PATCH", "/latest/projects/vase/scans/1/cancel")).body).toMatchObject({
    status: "cancelled",
  });
  // It still drives home: new controllers would take the motors away from it.
  expect((await api.call("POST", "/latest/device/configurations/current/initialize")).status).toBe(409);
  await tasks.find((message) => became(id, "cancelled")(message) && taskOf(message).completed_at !== null);
  expect((await api.call("GET", "/latest/motors/rotor")).body).toMatchObject({ busy: false });
  const { body: cancelled } = await api.call<Scan>("GET", "/latest/projects/vase/scans/1");
  expect(cancelled.status).toBe("cancelled");
  expect(cancelled.photos.length).toBeGreaterThanOrEqual(2);
  expect((await api.call("GET", "/latest/motors/rotor")).body).toMatchObject({
    angle: expect.closeTo(90, 0) as number,
  });

  const { body: resumed } = await api.call<Task>(
    "PATCH",
    "/latest/projects/vase/scans/1/resume?camera_name=simulated_camera",
  );
  await tasks.find(became(resumed.id, "completed"));
  const { body: scan } = await api.call<Scan>("GET", "/latest/projects/vase/scans/1");
  expect(new Set(scan.photos).size).toBe(5);
  expect(scan).toMatchObject({ status: "completed", current_step: 5 });
  expect((await api.call("DELETE", "/latest/projects/vase/scans/1")).body).toMatchObject({
    success: true,
    deleted: ["vase:scan01"],
  });
  expect((await api.call("GET", "/latest/projects/vase/scans/1")).status).toBe(404);
  expect((await api.call("DELETE", "/latest/projects/vase")).status).toBe(200);
  expect((await api.call("GET", "/latest/projects/")).body).toEqual({});
});

test("what cannot be scanned is refused before anything is stored", async () => {
  const { api } = await startServer();
  await api.call("POST", "/latest/projects/vase");
  const start = (query: string, body: unknown) =>
    api.call("POST", `/latest/projects/vase/scan?${query}`, body);
  expect((await start("camera_name=none", {})).status).toBe(404);
  expect((await start("", {})).status).toBe(422);
  expect((await start("camera_name=simulated_camera", { min_theta: 90, max_theta: 20 })).status).toBe(422);
  expect((await start("camera_name=simulated_camera", { max_theta: 180 })).status).toBe(422);
  expect((await api.call("POST", "/latest/projects/none/scan?camera_name=simulated_camera", {})).status).toBe(
    404,
  );
  expect((await api.call("POST", "/latest/projects/vase")).status).toBe(400);
  expect((await api.call("POST", "/latest/projects/..%2Fvase")).status).toBe(400);
  expect((await api.call<Project>("GET", "/latest/projects/vase")).body.scans).toEqual({});
  expect((await api.call("GET", "/latest/tasks/")).body).toEqual([]);
  expect((await api.call("GET", "/latest/tasks/none")).status).toBe(404);
  expect((await api.call("POST", "/latest/tasks/none")).status).toBe(404);
  expect(
    (await api.call("POST", "/latest/tasks/scan_task", { args: [{ project_name: "vase", index: 7 }] }))
      .status,
  ).toBeGreaterThanOrEqual(400);
});
