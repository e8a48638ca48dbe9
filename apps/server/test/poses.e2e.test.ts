import { existsSync } from "node:fs";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Scan, ScanPoses } from "@openscan/protocol";
import { expect, test } from "vitest";
import { folderSize } from "../src/tasks/testing.js";
import { readTexts, readZip } from "../src/zip/testing.js";
import { type Api, became, taskOf } from "./support/api.js";
import { quickConfiguration } from "./support/folder.js";
import { listeningServer, startServer } from "./support/in-process.js";
import { storeProject } from "./support/stored-project.js";

const scan = "/latest/projects/vase/scans/1";
const poses = `${scan}/poses`;

const zipTexts = async (api: Api, path: string) => readTexts(Buffer.from(await api.bytes(path)));
const readPoses = async (file: string) => ScanPoses.parse(JSON.parse(await readFile(file, "utf8")));

test("a scan carries the poses of its photos, and goes on to when it is stopped and resumed", async () => {
  const { api, folder } = await startServer();
  const scan01 = join(folder.directories.projectDir, "vase/scan01");
  const tasks = await api.listen("tasks");
  const { id } = await api.startScan("vase", { points: 5 });
  await tasks.find((message) => became(id, "running")(message) && taskOf(message).progress.current >= 2);
  await api.call("DELETE", `/latest/tasks/${id}`);
  await tasks.find((message) => became(id, "cancelled")(message) && taskOf(message).completed_at !== null);
  const { body: stopped } = await api.call<Scan>("GET", scan);
  const half = await readPoses(join(scan01, "poses.json"));
  expect(half.photos.map(({ file }) => file)).toEqual(stopped.photos);
  expect(stopped.photos.length).toBeLessThan(5);

  const { body: resumed } = await api.call<{ id: string }>("PATCH", `${scan}/resume?camera_name=default`);
  await tasks.find(became(resumed.id, "completed"));
  const { body: done } = await api.call<Scan>("GET", scan);
  const written = await readPoses(join(scan01, "poses.json"));
  expect(written.photos.map(({ file }) => file)).toEqual(done.photos);
  expect(written.warnings).toEqual([]);
  for (const { measured, r, intrinsics, position } of written.photos) {
    expect(measured).toBe(true);
    expect(intrinsics).toMatchObject({ width: 320, height: 240, cx: 160, cy: 120, source: "camera" });
    expect(Math.hypot(...position)).toBeCloseTo(r, 6);
  }
  const { body: told } = await api.call<ScanPoses>("GET", poses);
  expect({ ...told, generated: "" }).toEqual({ ...written, generated: "" });

  await api.call("DELETE", `/latest/projects/vase/1/photos?photo_filenames=${done.photos[0]}`);
  const fewer = await readPoses(join(scan01, "poses.json"));
  expect(fewer.photos.map(({ file }) => file)).toEqual(done.photos.slice(1));
  const { body: left } = await api.call<Scan>("GET", scan);
  expect(left.total_size_bytes).toBe(await folderSize(scan01));
}, 60_000);

/** A server that finds a project with two scans of other versions, which wrote no poses. */
async function stored(
  change: (configuration: Awaited<ReturnType<typeof quickConfiguration>>) => void = () => {},
) {
  const configuration = await quickConfiguration();
  change(configuration);
  const server = await listeningServer(configuration);
  const { projectDir } = server.folder.directories;
  const lens = { FocalLengthPixels: 241, PrincipalPoint: [160, 120], ImageSize: [320, 240] };
  await storeProject(projectDir, "vase", [
    { photos: ["scan01_000.jpg", "scan01_001.jpg"], rawMetadata: lens },
    { photos: [] },
  ]);
  await server.initialize();
  return { ...server, vase: join(projectDir, "vase") };
}

test("poses are exported for each program, under names that say what they are", async () => {
  const { api, vase } = await stored();
  const reply = async (query: string) => {
    const found = await fetch(`${api.url}${poses}?${query}`);
    return {
      status: found.status,
      type: found.headers.get("Content-Type"),
      name: /filename=(\S+)$/.exec(found.headers.get("Content-Disposition") ?? "")?.[1],
      bytes: Buffer.from(await found.arrayBuffer()),
    };
  };
  const colmap = await reply("format=colmap");
  expect(colmap).toMatchObject({ status: 200, type: "application/zip", name: "vase_scan01_colmap.zip" });
  expect(readZip(colmap.bytes).map(({ name }) => name)).toEqual([
    "sparse/0/cameras.txt",
    "sparse/0/images.txt",
    "sparse/0/points3D.txt",
    "pairs.txt",
    "poses_warnings.txt",
  ]);
  const xmp = await reply("format=xmp");
  expect(xmp).toMatchObject({ status: 200, type: "application/zip", name: "vase_scan01_xmp.zip" });
  expect(readZip(xmp.bytes).map(({ name }) => name)).toEqual([
    "scan01_000.xmp",
    "scan01_001.xmp",
    "poses_warnings.txt",
  ]);
  const transforms = await reply("format=transforms");
  expect(transforms).toMatchObject({ status: 200, name: "vase_scan01_transforms.json" });
  expect(transforms.type).toMatch(/^application\/json/);
  expect(JSON.parse(transforms.bytes.toString())).toMatchObject({ fl_x: 241, frames: [{}, {}] });
  const metashape = await reply("format=metashape");
  expect(metashape).toMatchObject({ status: 200, name: "vase_scan01_metashape.csv" });
  expect(metashape.type).toMatch(/^text\/csv/);
  expect(metashape.bytes.toString().split("\n")).toHaveLength(4);

  expect((await reply("format=nerf")).status).toBe(422);
  for (const sign of ["0", "2", "x"]) expect((await reply(`turntable_sign=${sign}`)).status, sign).toBe(422);
  expect((await api.call("GET", "/latest/projects/vase/scans/2/poses")).body).toMatchObject({ photos: [] });
  for (const path of ["vase/scans/2/poses?format=colmap", "vase/scans/9/poses", "none/scans/1/poses"])
    expect((await api.call("GET", `/latest/projects/${path}`)).status, path).toBe(404);
  // Reading them wrote nothing.
  expect(existsSync(join(vase, "scan01/poses.json"))).toBe(false);
});

test("the turntable's sign is the device's, unless another one is asked for", async () => {
  const { api, folder } = await stored((configuration) =>
    Object.assign(configuration, { turntable_sign: -1 }),
  );
  const at = async (query: string) => (await api.call<ScanPoses>("GET", `${poses}?${query}`)).body;
  const [own, other, same] = [await at(""), await at("turntable_sign=1"), await at("turntable_sign=-1")];
  expect([own.turntable_sign, other.turntable_sign]).toEqual([-1, 1]);
  expect(same.photos).toEqual(own.photos);
  const [, second] = own.photos;
  const [x, y, z] = second?.position ?? [0, 0, 0];
  expect(y).not.toBeCloseTo(0, 3);
  expect(other.photos[1]?.position).toEqual([x, -y, z].map((value) => expect.closeTo(value, 9) as number));
  // It stays when a UI has the configuration saved.
  expect((await api.call("PATCH", "/latest/device/configurations/current")).status).toBe(200);
  const saved = join(folder.directories.settingsDir, "device/device_config.json");
  expect(JSON.parse(await readFile(saved, "utf8"))).toMatchObject({ turntable_sign: -1 });
});

test("downloads of projects and scans bring poses along when asked to", async () => {
  const { api } = await stored();
  const plain = await zipTexts(api, "/latest/projects/vase/zip");
  expect(ScanPoses.parse(JSON.parse(plain["vase/scan01/poses.json"] ?? "")).photos).toHaveLength(2);
  expect(Object.keys(plain).filter((name) => name.includes("sparse"))).toEqual([]);
  const whole = await zipTexts(api, "/latest/projects/vase/zip?with_poses=colmap");
  expect(whole["vase/scan01/sparse/0/images.txt"]).toContain(" scan01_001.jpg\n");
  const scans = await zipTexts(api, "/latest/projects/vase/scans/zip?with_poses=xmp&scan_indices=1");
  expect(scans["scan01/scan01_001.xmp"]).toContain("<xcr:Rotation>");
  const photos = await zipTexts(api, "/latest/projects/vase/zip?photos_only=true&with_poses=transforms");
  expect(photos["scan01/transforms.json"]).toContain('"../scan01_001.jpg"');
  expect((await api.call("GET", "/latest/projects/vase/zip?with_poses=nerf")).status).toBe(422);
});

test("a scan that was under way when the server was killed has its poses after the next start", async () => {
  const server = await listeningServer();
  const { projectDir } = server.folder.directories;
  await storeProject(projectDir, "vase", [{ photos: ["scan01_000.jpg", "scan01_001.jpg"] }]);
  const scan01 = join(projectDir, "vase/scan01");
  const file = join(scan01, "scan.json");
  await writeFile(file, (await readFile(file, "utf8")).replace('"completed"', '"running"'));
  await rm(join(scan01, "scan01_001.jpg"));
  await server.initialize();
  expect((await readPoses(join(scan01, "poses.json"))).photos.map((photo) => photo.file)).toEqual([
    "scan01_000.jpg",
  ]);
  const { body } = await server.api.call<Scan>("GET", scan);
  expect(body).toMatchObject({ status: "interrupted", total_size_bytes: await folderSize(scan01) });
});
