import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { addPhotos, createCloudBench, unzipped } from "../../test/support/cloud-bench.js";
import type { UploadResult } from "./upload-record.js";

/** Five photos of 60 kB in parts of 100 kB: four parts. */
async function createUpload(options: Parameters<typeof createCloudBench>[0] = {}) {
  const bench = await createCloudBench(options);
  const photos = await addPhotos(bench.store, "vase");
  return { ...bench, photos };
}

/** Resolves when the cloud has heard of something. */
async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise((resolve) => setTimeout(resolve, 5));
}

const partsOf = (cloud: { finishedParts(): string[] }) =>
  cloud.finishedParts().map((part) => Number(part.split("/")[1]));

test("an upload packs the photos, sends them in parts, starts the processing and is told by the project", async () => {
  const { cloud, store, upload, photos, left } = await createUpload();
  const task = await upload();
  expect(task).toMatchObject({
    status: "completed",
    error: null,
    run_args: ["vase"],
    run_kwargs: { token: null },
  });
  const { name, ...remote } = cloud.project;
  expect(name).toMatch(/^vase-\d{13}\.zip$/);
  expect(remote).toMatchObject({ photos: 5, status: "processing" });
  const archive = cloud.archive(name);
  expect(await unzipped(archive)).toEqual(photos);
  expect(remote.parts.map((part) => part?.length)).toEqual([
    100_000,
    100_000,
    100_000,
    archive.length - 300_000,
  ]);
  expect(task.result).toEqual({
    project: name,
    parts_uploaded: 4,
    archive_size_bytes: archive.length,
    photo_count: 5,
    create_response: { status: "created", credit: archive.length, token: "***0815" },
    start_response: { status: "started" },
  });
  expect(task.progress).toMatchObject({ current: archive.length, total: archive.length });
  expect(store.get("vase")).toMatchObject({ uploaded: true, cloud_project_name: name, downloaded: false });
  expect(cloud.of("part").every(({ headers }) => headers.authorization === undefined)).toBe(true);
  expect((await left()).filter((file) => file.endsWith(".zip"))).toEqual([]);
});

test("the first report is 0 of 1, the last one is that it is done, those between count bytes", async () => {
  const { cloud, events, upload } = await createUpload();
  cloud.bytesPerMs = 300;
  await upload();
  const reports = events
    .filter(({ status, progress }) => status === "running" && progress.total > 0)
    .map(({ progress }) => progress);
  expect(reports[0]).toEqual({ current: 0, total: 1, message: "Preparing upload: packing photos" });
  expect(reports.at(-1)).toMatchObject({ current: reports.at(-1)?.total, message: "Upload completed" });
  expect(reports.slice(1, -1).some(({ message }) => /part \d of 4 \(\d+\/\d+ bytes\)$/.test(message))).toBe(
    true,
  );
});

test("of a scan with stacked photos only these are sent, of others all JPEGs; names never collide", async () => {
  const { cloud, store, upload } = await createCloudBench();
  await addPhotos(store, "vase", { names: ["scan01_000_fs00.jpg", "scan01_000_fs01.jpg"], bytes: 10 });
  const stacked = "stacked/stacked_scan01_000.jpg";
  await mkdir(join(store.get("vase").path, "scan01", "stacked"));
  await writeFile(join(store.get("vase").path, "scan01", stacked), "stacked");
  await store.updateScan("vase", 1, ({ photos }) => ({ photos: [...photos, stacked] }));
  await addPhotos(store, "vase", { names: ["same.jpg", "other.dng", "upper.JPEG"], bytes: 10 });
  await addPhotos(store, "vase", { names: ["same.jpg"], bytes: 10 });
  await upload();
  const names = [...(await unzipped(cloud.archive(cloud.project.name))).keys()];
  expect(names).toEqual(["stacked_scan01_000.jpg", "same.jpg", "upper.JPEG", "scan03_same.jpg"]);
});

test("defect 1: an upload that takes its time does not keep an exclusive task waiting, nor the other way round", async () => {
  const { cloud, tasks } = await createUpload();
  cloud.fail = ({ action }) => (action === "part" ? { hang: true, after: 1 } : undefined);
  const upload = await tasks.create("cloud_upload_task", ["vase"]);
  await until(() => cloud.of("part").length === 1);
  const scan = await tasks.create("exclusive_task");
  expect(await tasks.ended(scan.id)).toMatchObject({ status: "completed" });
  expect(tasks.get(upload.id)).toMatchObject({ status: "running" });
});

test("defect 19: progress is reported twice a second at most, however many chunks pass", async () => {
  const { cloud, events, upload, store } = await createCloudBench({ splitSize: 1_000_000 });
  await addPhotos(store, "vase", { count: 4, bytes: 2_000_000 });
  cloud.bytesPerMs = 6000;
  const started = performance.now();
  await upload();
  const seconds = (performance.now() - started) / 1000;
  const reports = events.filter(({ status, progress }) => status === "running" && progress.total > 0);
  expect(reports.length).toBeLessThanOrEqual(2 * seconds + 4);
  expect(reports.length).toBeGreaterThan(2);
}, 30_000);

test.each([
  ["a 500", { status: 500 }],
  ["a reset at once", { reset: true }],
  ["a reset in its middle", { reset: true, after: 50_000 }],
] as const)("%s of a part is tried again, ever later, and nothing else is sent twice", async (_, failure) => {
  const { cloud, clock, upload, photos } = await createUpload();
  cloud.fail = (request) => (request.part === 1 && cloud.of("part").length < 5 ? failure : undefined);
  expect(await upload()).toMatchObject({ status: "completed" });
  expect(clock.slept).toEqual([1000, 2000, 4000]);
  expect(partsOf(cloud)).toEqual([0, 1, 2, 3]);
  expect(await unzipped(cloud.archive(cloud.project.name))).toEqual(photos);
});

test("a part on which nothing moves for 60 s is tried again", async () => {
  const { cloud, clock, upload, photos } = await createUpload();
  clock.hurry = 100;
  cloud.fail = (request) => {
    if (request.part === 2 && cloud.of("part").length === 3) return { hang: true, after: 1 };
    return request.action === "startProject" && cloud.of("startProject").length === 1
      ? { hang: true }
      : undefined;
  };
  expect(await upload()).toMatchObject({ status: "completed" });
  expect(partsOf(cloud)).toEqual([0, 1, 2, 3]);
  expect(await unzipped(cloud.archive(cloud.project.name))).toEqual(photos);
});

test("a cloud that stays away fails the task clearly; the next upload sends what is missing, to the same project", async () => {
  const { cloud, clock, upload, photos, left } = await createUpload();
  cloud.fail = ({ part }) => (part === 2 ? { status: 503 } : undefined);
  const failed = await upload();
  expect(failed).toMatchObject({ status: "error", error: "the cloud refused a part of the upload: 503" });
  expect(clock.slept).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 60_000]);
  expect(await left()).toHaveLength(2);
  cloud.fail = () => undefined;
  expect(await upload()).toMatchObject({ status: "completed" });
  expect(partsOf(cloud)).toEqual([0, 1, 2, 3]);
  expect(await unzipped(cloud.archive(cloud.project.name))).toEqual(photos);
});

test("photos that have changed since are packed anew, for another remote project", async () => {
  const { cloud, store, upload, photos } = await createUpload();
  cloud.fail = ({ part }) => (part === 2 ? { status: 503 } : undefined);
  await upload();
  cloud.fail = () => undefined;
  await store.deletePhotos("vase", 1, ["scan01_004.jpg"], () => {});
  const { result } = await upload();
  photos.delete("scan01_004.jpg");
  expect(cloud.projects.size).toBe(2);
  expect(await unzipped(cloud.archive((result as UploadResult).project))).toEqual(photos);
});

test("defect 35: a wrong token fails the task at once, without being told; nothing is left", async () => {
  const { cloud, clock, upload, left } = await createUpload();
  const task = await upload("vase", "somebody-elses-token-77");
  expect(task).toMatchObject({
    status: "error",
    error: "the cloud refused createProject: 403 no such token=***n-77",
    run_kwargs: { token: "***n-77" },
  });
  expect(clock.slept).toEqual([]);
  expect(await left()).toEqual([]);
  expect(cloud.of("createProject")).toHaveLength(1);
});

test("links that have expired are asked for anew: what was sent is not sent again", async () => {
  const { cloud, upload, photos } = await createUpload();
  cloud.fail = ({ part }) => {
    if (part === 2 && cloud.of("part").length === 3) cloud.expireLinks();
    return undefined;
  };
  expect(await upload()).toMatchObject({ status: "completed" });
  expect(partsOf(cloud)).toEqual([0, 1, 2, 3]);
  expect(await unzipped(cloud.archive(cloud.project.name))).toEqual(photos);
});

test("where the cloud gives no fresh links, the upload begins anew under another name", async () => {
  const { cloud, upload, photos } = await createUpload();
  cloud.renewsLinks = false;
  cloud.fail = ({ part }) => {
    if (part === 2 && cloud.of("part").length === 3) cloud.expireLinks();
    return undefined;
  };
  const { result } = await upload();
  expect(cloud.projects.size).toBe(2);
  expect(await unzipped(cloud.archive((result as UploadResult).project))).toEqual(photos);
});

test("links that never work end the upload", async () => {
  const { cloud, upload } = await createUpload();
  cloud.fail = ({ action }) => (action === "part" ? { status: 410 } : undefined);
  expect(await upload()).toMatchObject({
    status: "error",
    error: "the cloud refused a part of the upload: 410",
  });
  expect(cloud.of("part")).toHaveLength(4);
});

test.each(["createProject", "startProject"])("an answer to %s that is lost does no harm", async (action) => {
  const { cloud, upload, photos, store } = await createUpload();
  cloud.fail = (request) =>
    request.action === action && cloud.of(action).length === 1 ? { loseAnswer: true } : undefined;
  expect(await upload()).toMatchObject({ status: "completed" });
  expect(partsOf(cloud)).toEqual([0, 1, 2, 3]);
  expect(await unzipped(cloud.archive(cloud.project.name))).toEqual(photos);
  expect(store.get("vase").cloud_project_name).toBe(cloud.project.name);
});

test("a pause holds the bytes of the part that is on its way; then it goes on", async () => {
  const { cloud, tasks, store, clock } = await createCloudBench({ splitSize: 8_000_000 });
  const photos = await addPhotos(store, "vase", { count: 4, bytes: 4_000_000 });
  cloud.bytesPerMs = 10_000;
  const { id } = await tasks.create("cloud_upload_task", ["vase"]);
  await until(() => (cloud.of("part")[0]?.bytes ?? 0) > 0);
  tasks.pause(id);
  let before = -1;
  // What is in the buffers of two sockets still arrives.
  await until(() => {
    const { bytes } = cloud.of("part")[0] ?? { bytes: 0 };
    const isStill = bytes === before;
    before = bytes;
    return isStill;
  });
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(tasks.get(id)).toMatchObject({ status: "paused" });
  expect(cloud.finishedParts()).toEqual([]);
  tasks.resume(id);
  expect(await tasks.ended(id)).toMatchObject({ status: "completed" });
  expect(clock.slept).toEqual([]);
  expect(await unzipped(cloud.archive(cloud.project.name))).toEqual(photos);
}, 30_000);

test("a cancel in the middle of a part ends the request, and leaves no file", async () => {
  const { cloud, tasks, left, store } = await createUpload();
  cloud.fail = ({ part }) => (part === 1 ? { hang: true, after: 10 } : undefined);
  const { id } = await tasks.create("cloud_upload_task", ["vase"]);
  await until(() => cloud.of("part").length === 2);
  tasks.cancel(id);
  expect(await tasks.ended(id)).toMatchObject({
    status: "cancelled",
    completed_at: expect.any(String) as string,
  });
  expect(await left()).toEqual([]);
  expect(store.get("vase")).toMatchObject({ uploaded: false, cloud_project_name: null });
});

test("after a restart an interrupted upload goes on with the parts that are missing", async () => {
  const first = await createUpload();
  const { cloud } = first;
  cloud.fail = ({ part }) => (part === 2 ? { hang: true, after: 10 } : undefined);
  const { id } = await first.tasks.create("cloud_upload_task", ["vase"]);
  await until(() => cloud.of("part").length === 3);
  const next = await createCloudBench(await first.stop());
  cloud.fail = () => undefined;
  expect(next.tasks.get(id)).toMatchObject({ status: "interrupted" });
  next.tasks.resume(id);
  expect(await next.tasks.ended(id)).toMatchObject({ status: "completed", error: null });
  expect(partsOf(cloud)).toEqual([0, 1, 2, 3]);
  expect(await unzipped(cloud.archive(cloud.project.name))).toEqual(first.photos);
});

test("a task that was killed after the processing had begun finds its result; nothing is sent again", async () => {
  const first = await createUpload();
  const done = await first.upload();
  const stopped = await first.stop();
  // As the file was before the end of the task was stored.
  stopped.records.files.set(done.id, {
    ...done,
    status: "running",
    result: null,
    completed_at: null,
  });
  const next = await createCloudBench(stopped);
  next.tasks.resume(done.id);
  expect(await next.tasks.ended(done.id)).toMatchObject({ status: "completed", result: done.result });
  expect(first.cloud.projects.size).toBe(1);
  expect(first.cloud.of("part")).toHaveLength(4);
});

test("a token that was given to one task is not kept: a restart asks for another task, unless it is the stored one", async () => {
  for (const [token, expected] of [
    ["another-valid-token-99", { status: "error", error: expect.stringContaining("***n-99") as string }],
    [undefined, { status: "completed" }],
  ] as const) {
    const first = await createUpload();
    first.cloud.fail = ({ action }) => (action === "createProject" ? { hang: true } : undefined);
    const { id } = await first.tasks.create("cloud_upload_task", ["vase"], {
      token: token ?? first.cloud.token,
    });
    await until(() => first.cloud.of("createProject").length === 1);
    const next = await createCloudBench(await first.stop());
    first.cloud.fail = () => undefined;
    next.tasks.resume(id);
    expect(await next.tasks.ended(id)).toMatchObject(expected);
  }
});

test("a full disk is noticed before anything is packed; what stopped transfers left makes room first", async () => {
  let free = 100e6 + 250_000;
  const { upload, store, cloud, left, files } = await createUpload({ free: async () => free });
  expect(await upload()).toMatchObject({
    status: "error",
    error: expect.stringMatching(
      /^the archive of the photos needs 106 MB in .*, where 101 MB are free$/,
    ) as string,
  });
  expect(cloud.requests).toEqual([]);
  await addPhotos(store, "cup", { count: 1 });
  cloud.fail = ({ part }) => (part === 0 ? { status: 503 } : undefined);
  free = 1e9;
  await upload("cup");
  expect(await left()).toHaveLength(2);
  await expect(files.requireSpace(2e9, "something")).rejects.toMatchObject({ code: "storage" });
  expect(await left()).toEqual([]);
});

test.each([
  ["no photos", "cup", 'project "cup" has no JPEG photos to upload'],
  ["no project", "bowl", 'project "bowl" does not exist'],
])("with %s there is a clear error", async (_, project, error) => {
  const { upload, store, cloud } = await createUpload();
  await store.create("cup", null);
  expect(await upload(project)).toMatchObject({ status: "error", error });
  expect(cloud.requests).toEqual([]);
});

test("a split size that makes too many parts, and a cloud without settings, are clear errors", async () => {
  const { upload, account } = await createUpload({ splitSize: 1 });
  expect((await upload()).error).toMatch(
    /^\d+ bytes in parts of 1 are \d+ parts; choose a larger split_size$/,
  );
  await account.remove();
  expect((await upload()).error).toBe("the cloud is not configured: it needs a token");
});

test("a photo that is lost while it is packed fails the task, and leaves no archive", async () => {
  const { upload, store, left } = await createUpload();
  await rm(join(store.get("vase").path, "scan01", "scan01_003.jpg"));
  expect((await upload()).error).toContain("scan01_003.jpg");
  expect(await left()).toEqual([]);
});
