import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { createCloudBench, digest, rawZip } from "../../test/support/cloud-bench.js";

const big = rawZip([
  { name: "model/vase.obj", bytes: randomBytes(900_000) },
  { name: "model/", mode: 0o040755, bytes: Buffer.alloc(0) },
  { name: "textures/größe.jpg", bytes: randomBytes(100_000) },
]);

/** A project that is uploaded, and whose model is done. */
async function createDownload(options: Parameters<typeof createCloudBench>[0] = {}) {
  const bench = await createCloudBench(options);
  if (!("vase" in bench.store.list())) {
    await bench.store.create("vase", null);
    await bench.store.update("vase", { uploaded: true, cloud_project_name: "vase-1.zip" });
    bench.cloud.finish("vase-1.zip", big);
  }
  const project = bench.store.get("vase").path;
  return {
    ...bench,
    model: join(project, "model"),
    /** What the project's folder holds beside its own file. */
    inProject: async () => (await readdir(project)).filter((name) => name !== "openscan_project.json"),
  };
}

async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise((resolve) => setTimeout(resolve, 5));
}

test("a download brings the model, and nothing else is left", async () => {
  const { cloud, store, download, model, left, inProject } = await createDownload();
  const task = await download();
  expect(task).toMatchObject({
    status: "completed",
    error: null,
    run_args: ["vase"],
    run_kwargs: { token: null, remote_project: null },
    result: {
      project: "vase-1.zip",
      archive_size_bytes: big.length,
      bytes_downloaded: big.length,
      download_info: { status: "done", dlink: `${cloud.url}/model/vase-1.zip` },
    },
    progress: { current: big.length, total: big.length, message: "Download completed" },
  });
  expect(await readFile(join(model, "model", "vase.obj"))).toHaveLength(900_000);
  expect(await readFile(join(model, "textures", "größe.jpg"))).toHaveLength(100_000);
  expect(store.get("vase")).toMatchObject({ downloaded: true, uploaded: true });
  expect(await left()).toEqual([]);
  expect(await inProject()).toEqual(["model"]);
  expect(cloud.of("model").every(({ headers }) => headers.authorization === undefined)).toBe(true);
});

test("another remote project can be named, for a project that was never uploaded", async () => {
  const { cloud, store, download } = await createDownload();
  await store.create("cup", null);
  cloud.finish("elsewhere.zip", rawZip([{ name: "cup.obj" }]));
  expect(await download("cup")).toMatchObject({
    status: "error",
    error: 'project "cup" was not uploaded to the cloud',
  });
  expect(await download("cup", "elsewhere.zip")).toMatchObject({ status: "completed" });
  expect(await readFile(join(store.get("cup").path, "model", "cup.obj"), "utf8")).toBe("cup.obj");
});

test("a model that is not there yet is asked for three times, 3 s apart", async () => {
  const { cloud, clock, download } = await createDownload();
  cloud.finish("vase-1.zip", undefined as never);
  expect(await download()).toMatchObject({
    status: "error",
    error: "the cloud has no model of vase-1.zip yet: try again later",
  });
  expect(clock.slept).toEqual([3000, 3000]);
  expect(cloud.of("getProjectInfo")).toHaveLength(3);
});

test.each([
  ["a reset", { reset: true, after: 400_000 }],
  ["an error", { status: 500 }],
] as const)("after %s the download goes on where it was", async (_, failure) => {
  const { cloud, clock, download, model } = await createDownload();
  cloud.fail = ({ action }) => (action === "model" && cloud.of("model").length === 2 ? failure : undefined);
  const first = cloud.fail;
  cloud.fail = (request) =>
    request.action === "model" && cloud.of("model").length === 1
      ? { reset: true, after: 300_000 }
      : first(request);
  expect(await download()).toMatchObject({ status: "completed", result: { bytes_downloaded: big.length } });
  const starts = cloud
    .of("model")
    .map(({ headers }) => Number(/bytes=(\d+)-/.exec(headers.range ?? "")?.[1] ?? 0));
  expect(starts).toHaveLength(3);
  expect(starts[1]).toBeGreaterThan(0);
  expect(starts[2]).toBeGreaterThanOrEqual(starts[1] ?? 0);
  expect(clock.slept.every((ms) => ms <= 2000)).toBe(true);
  expect(await readFile(join(model, "model", "vase.obj"))).toHaveLength(900_000);
});

test.each([
  ["no ranges", { hasRanges: false }],
  ["no validator", { hasEtag: false }],
  ["neither length nor validator", { hasLength: false, hasEtag: false }],
])("a server with %s is downloaded from all the same", async (_, abilities) => {
  const { cloud, download, model } = await createDownload();
  Object.assign(cloud, abilities);
  cloud.fail = ({ action }) =>
    action === "model" && cloud.of("model").length === 1 ? { reset: true, after: 300_000 } : undefined;
  expect(await download()).toMatchObject({ status: "completed" });
  expect(cloud.of("model")).toHaveLength(2);
  expect(await readFile(join(model, "model", "vase.obj"))).toHaveLength(900_000);
});

test("a model that was replaced in the middle is downloaded anew", async () => {
  const { cloud, download, model } = await createDownload();
  const newer = rawZip([{ name: "newer.obj", bytes: randomBytes(500_000) }]);
  cloud.fail = ({ action }) => {
    if (action !== "model" || cloud.of("model").length > 1) return undefined;
    queueMicrotask(() => setTimeout(() => cloud.finish("vase-1.zip", newer), 10));
    return { reset: true, after: 300_000 };
  };
  expect(await download()).toMatchObject({
    status: "completed",
    result: { archive_size_bytes: newer.length },
  });
  expect(await readdir(model)).toEqual(["newer.obj"]);
});

test("a link that has expired is asked for anew, and the rest comes from the new one", async () => {
  const { cloud, download } = await createDownload();
  cloud.fail = ({ action }) => {
    if (action !== "model") return undefined;
    const { length } = cloud.of("model");
    if (length === 1) return { reset: true, after: 300_000 };
    return length === 2 ? { status: 410 } : undefined;
  };
  expect(await download()).toMatchObject({ status: "completed" });
  expect(cloud.of("getProjectInfo")).toHaveLength(2);
  expect(cloud.of("model").at(-1)?.headers.range).toMatch(/^bytes=[1-9]/);
});

test("a download on which nothing comes for 60 s is tried again", async () => {
  const { cloud, clock, download } = await createDownload();
  clock.hurry = 200;
  cloud.fail = ({ action }) =>
    action === "model" && cloud.of("model").length === 1 ? { hang: true, after: 200_000 } : undefined;
  expect(await download()).toMatchObject({ status: "completed" });
  expect(cloud.of("model")).toHaveLength(2);
});

test("a cloud that stays away fails the task clearly; the next download goes on where it was", async () => {
  const { cloud, download, left } = await createDownload();
  cloud.fail = ({ action }) => {
    if (action !== "model") return undefined;
    return cloud.of("model").length === 1 ? { reset: true, after: 300_000 } : { status: 502 };
  };
  expect(await download()).toMatchObject({ status: "error", error: "the cloud refused the download: 502" });
  expect(await left()).toHaveLength(2);
  cloud.fail = () => undefined;
  expect(await download()).toMatchObject({ status: "completed" });
  expect(cloud.of("model").at(-1)?.headers.range).toMatch(/^bytes=[1-9]/);
  expect(await left()).toEqual([]);
});

test("defect 43: a cancelled download leaves no file, and the old model as it was", async () => {
  const { cloud, tasks, left, model, inProject } = await createDownload();
  await mkdir(model);
  await writeFile(join(model, "old.obj"), "old");
  cloud.fail = ({ action }) => (action === "model" ? { hang: true, after: 300_000 } : undefined);
  const { id } = await tasks.create("cloud_download_task", ["vase"]);
  await until(() => (cloud.of("model")[0]?.bytes ?? 0) >= 300_000);
  tasks.cancel(id);
  expect(await tasks.ended(id)).toMatchObject({ status: "cancelled" });
  expect(await left()).toEqual([]);
  expect(await inProject()).toEqual(["model"]);
  expect(await readFile(join(model, "old.obj"), "utf8")).toBe("old");
  cloud.fail = () => undefined;
  const again = await tasks.create("cloud_download_task", ["vase"]);
  expect(await tasks.ended(again.id)).toMatchObject({ status: "completed" });
  expect((await readdir(model)).toSorted()).toEqual(["model", "textures"]);
});

test("a pause holds the bytes, then the download goes on", async () => {
  const { cloud, tasks, model } = await createDownload();
  const huge = rawZip([{ name: "huge.obj", bytes: randomBytes(20_000_000) }]);
  cloud.finish("vase-1.zip", huge);
  cloud.bytesPerMs = 16_000;
  const { id } = await tasks.create("cloud_download_task", ["vase"]);
  await until(() => (cloud.of("model")[0]?.bytes ?? 0) > 1_000_000);
  tasks.pause(id);
  let before = -1;
  await until(() => {
    const { bytes } = cloud.of("model")[0] ?? { bytes: 0 };
    const isStill = bytes === before;
    before = bytes;
    return isStill;
  });
  expect(tasks.get(id)).toMatchObject({ status: "paused" });
  expect(cloud.of("model")[0]?.bytes).toBeLessThan(huge.length);
  tasks.resume(id);
  expect(await tasks.ended(id)).toMatchObject({ status: "completed" });
  expect(await readFile(join(model, "huge.obj"))).toHaveLength(20_000_000);
});

test("after a restart an interrupted download fetches what is missing", async () => {
  const first = await createDownload();
  const { cloud } = first;
  cloud.fail = ({ action }) => (action === "model" ? { hang: true, after: 500_000 } : undefined);
  const { id } = await first.tasks.create("cloud_download_task", ["vase"]);
  await until(() => (first.tasks.get(id)?.progress.current ?? 0) >= 300_000);
  const next = await createDownload(await first.stop());
  cloud.fail = () => undefined;
  next.tasks.resume(id);
  expect(await next.tasks.ended(id)).toMatchObject({ status: "completed" });
  expect(cloud.of("model").at(-1)?.bytes).toBeLessThan(big.length - 100_000);
  expect(digest(await readFile(join(next.model, "model", "vase.obj")))).toBe(
    digest(big.subarray(44, 900_044)),
  );
});

test("an archive that cannot be unpacked leaves the old model, and no file to go on with", async () => {
  const { cloud, download, left, model, store, inProject } = await createDownload();
  await mkdir(model);
  await writeFile(join(model, "old.obj"), "old");
  cloud.finish("vase-1.zip", randomBytes(10_000));
  expect((await download()).error).toMatch(/^the model of the cloud cannot be unpacked: /);
  expect(await left()).toEqual([]);
  expect(await inProject()).toEqual(["model"]);
  expect(await readFile(join(model, "old.obj"), "utf8")).toBe("old");
  expect(store.get("vase").downloaded).toBe(false);
});

test("a full disk is noticed before the archive is fetched", async () => {
  const { download, left } = await createDownload({ free: async () => 100e6 });
  expect(await download()).toMatchObject({
    status: "error",
    error: expect.stringMatching(/^the model's archive needs 106 MB in .*, where 100 MB are free$/) as string,
  });
  expect(await left()).toEqual([]);
});
