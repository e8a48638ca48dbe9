import type { LiveTask, Project, Scan, Task } from "@openscan/protocol";
import { expect, test } from "vitest";
import { became, taskOf } from "./support/api.js";
import { startServer } from "./support/in-process.js";

// What the shipped web UI (API v0.9) does on its pages, request by request: docs/compatibility.md.

const at = "/api/v0.9";

test("every page: root info without a slash, both streams, the lists are arrays and maps", async () => {
  const { api } = await startServer();
  const root = await fetch(`${api.url}${at}`, { redirect: "manual" });
  expect(root.status).toBe(200);
  expect(await root.json()).toMatchObject({ firmware_version: "1.2.3" });
  for (const namespace of ["device", "tasks"] as const) {
    const { socket, messages } = await api.listen(namespace, at);
    expect(messages).toEqual([]);
    socket.close();
  }
  expect((await api.call("GET", `${at}/device/info`)).body).toMatchObject({
    name: expect.any(String) as string,
    model: "mini",
    cameras: { simulated_camera: { settings: expect.any(Object) as object } },
    motors: { rotor: { settings: expect.any(Object) as object }, turntable: {} },
    lights: { "Openscan.eu Ringlight": { is_on: true, settings: { pins: [17, 27] } } },
  });
  expect(await api.call("GET", `${at}/tasks/`)).toMatchObject({ status: 200, body: [] });
  expect(await api.call("GET", `${at}/projects/`)).toMatchObject({ status: 200, body: {} });
});

test("scan page: preview, photo, project, start; then the progress page pauses, resumes and cancels", async () => {
  const { api } = await startServer();
  const [camera] = Object.keys((await api.call<object>("GET", `${at}/cameras/`)).body);
  const viewing = new AbortController();
  const preview = await fetch(`${api.url}${at}/cameras/${camera}/preview?mode=stream`, {
    signal: viewing.signal,
  });
  const first = await preview.body?.getReader().read();
  expect(Buffer.from(first?.value ?? []).toString("latin1")).toMatch(/^--frame\r\nContent-Type: image\/jpeg/);
  const photo = await fetch(`${api.url}${at}/cameras/${camera}/photo?ts=17`, {
    headers: { Origin: api.url },
  });
  expect(photo.headers.get("Content-Type")).toBe("image/jpeg");
  // The UI draws it to a canvas and reads the pixels.
  expect(photo.headers.get("Access-Control-Allow-Origin")).toBe("*");

  const created = await api.call<Project>("POST", `${at}/projects/tmp%20project-x?project_description=`);
  expect(created).toMatchObject({ status: 200, body: { name: "tmp project-x", scans: {}, uploaded: false } });
  const tasks = await api.listen("tasks", at);
  const started = await api.call<LiveTask>(
    "POST",
    `${at}/projects/tmp%20project-x/scan?camera_name=${camera}`,
    {
      ...{ path_method: "fibonacci", points: 4, image_format: "jpeg", min_theta: 20, max_theta: 110 },
      ...{ optimize_path: true, optimization_algorithm: "nearest_neighbor", pause_before_capture_ms: 150 },
    },
  );
  expect(started).toMatchObject({
    status: 200,
    body: {
      id: expect.stringMatching(/./) as string,
      task_type: "scan_task",
      run_args: [{ project_name: "tmp project-x", index: 1, settings: { points: 4, focus_stacks: 1 } }, 0],
    },
  });
  expect(started.body).not.toHaveProperty("revision");
  const { id } = started.body;
  // Whatever comes first, list or stream, the progress page reads the scan's settings from it.
  const running = await tasks.find(became(id, "running"));
  expect(taskOf(running).run_args).toMatchObject([
    { project_name: "tmp project-x", index: 1, settings: {} },
    0,
  ]);
  const { body: listed } = await api.call<Task[]>("GET", `${at}/tasks/`);
  expect(listed).toMatchObject([{ id, progress: { total: expect.any(Number) as number } }]);

  expect(await api.call("POST", `${at}/tasks/${id}/pause`)).toMatchObject({
    status: 200,
    body: { id, status: "paused" },
  });
  expect((await api.call("GET", `${at}/projects/`)).body).toMatchObject({
    "tmp project-x": { scans: { scan01: { status: "paused", task_id: id } } },
  });
  expect(await api.call("POST", `${at}/tasks/${id}/resume`)).toMatchObject({
    body: { id, status: "running" },
  });
  expect(await api.call("DELETE", `${at}/tasks/${id}`)).toMatchObject({
    status: 200,
    body: { id, status: "cancelled" },
  });
  await tasks.find((message) => became(id, "cancelled")(message) && taskOf(message).completed_at !== null);
  expect((await api.call("DELETE", `${at}/tasks/${id}/cleanup`)).status).toBe(204);
  viewing.abort();
}, 60_000);

test("a scan that ended: both counts meet, the project page has what it shows and downloads", async () => {
  const { api } = await startServer();
  const tasks = await api.listen("tasks", at);
  const { id } = await api.startScan("vase", { points: 2, focus_stacks: 2 });
  const { progress } = taskOf(await tasks.find(became(id, "completed")));
  expect(progress.current).toBe(progress.total);
  const { body } = await api.call<Record<string, Project>>("GET", `${at}/projects/`);
  const scan = body["vase"]?.scans["scan01"] as Scan;
  expect(scan).toMatchObject({
    ...{
      index: 1,
      status: "completed",
      camera_name: "simulated_camera",
      task_id: id,
      stacking_task_status: null,
    },
    settings: { points: 2, focus_stacks: 2 },
    total_size_bytes: expect.any(Number) as number,
  });
  expect(scan.photos).toHaveLength(4);
  for (const date of [scan.created, scan.last_updated]) expect(date).toMatch(/Z$/);

  const thumbnail = await fetch(`${api.url}${at}/projects/vase/thumbnail`);
  expect([thumbnail.status, thumbnail.headers.get("Content-Type")]).toEqual([200, "image/jpeg"]);
  await api.call("POST", `${at}/projects/empty`);
  expect((await api.call("GET", `${at}/projects/empty/thumbnail`)).status).toBe(404);
  for (const download of [
    "zip",
    "zip?photos_only=true",
    "zip?prefer_stacked_photos=true",
    "scans/zip?scan_indices=1&scan_indices=2",
  ]) {
    const reply = await fetch(`${api.url}${at}/projects/vase/${download}`);
    expect([download, reply.status, reply.headers.get("Content-Type")]).toEqual([
      download,
      200,
      "application/zip",
    ]);
    expect(reply.headers.get("Content-Disposition")).toMatch(/^attachment; filename=/);
    expect(
      Buffer.from(await reply.arrayBuffer())
        .subarray(0, 2)
        .toString(),
    ).toBe("PK");
  }
  expect((await api.call("GET", `${at}/projects/vase/model/zip`)).status).toBe(404);
}, 60_000);

test("deleting a project: the UI cancels its scans first, those that have ended too, and deletes at once", async () => {
  const { api } = await startServer();
  const tasks = await api.listen("tasks", at);
  const first = await api.startScan("vase", { points: 1 });
  await tasks.find(became(first.id, "completed"));
  await api.startScan("vase", { points: 90 });
  await api.startScan("vase", { points: 90 });
  const cancels = await Promise.all(
    [1, 2, 3].map((index) => api.call("PATCH", `${at}/projects/vase/scans/${index}/cancel`)),
  );
  expect(cancels.map(({ status }) => status)).toEqual([200, 200, 200]);
  expect(await api.call("DELETE", `${at}/projects/vase`)).toMatchObject({
    status: 200,
    body: { deleted: ["vase"] },
  });
  expect((await api.call("GET", `${at}/projects/`)).body).toEqual({});
}, 60_000);
