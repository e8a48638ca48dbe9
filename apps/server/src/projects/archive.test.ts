import { existsSync } from "node:fs";
import { mkdir, readFile, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CameraSettings, ScanSettings } from "@openscan/protocol";
import { silentLogger } from "@openscan/runtime";
import { FakeClock } from "@openscan/runtime/testing";
import { expect, test } from "vitest";
import { temporaryFolder } from "../tasks/testing.js";
import { readTexts, readZip } from "../zip/testing.js";
import { writeZip } from "../zip/write-zip.js";
import {
  type Archive,
  modelArchive,
  projectArchive,
  type ProjectArchiveOptions,
  type ScanArchiveOptions,
  scansArchive,
} from "./archive.js";
import { ProjectStore } from "./project-store.js";

/** Contents are the files' own paths, so that one in a wrong place is seen. */
const photos = {
  1: ["scan01_000_fs00.jpg", "scan01_000_fs01.jpg", "scan01_001_fs00.jpg", "scan01_001_fs01.jpg"],
  2: ["scan02_000.jpg", "scan02_001.dng"],
} as const;
const stacked = ["stacked/stacked_scan01_000.jpg", "stacked/stacked_scan01_001.jpg"];
const metadataOf = (photo: string) => `metadata/${photo.replace(/\.\w+$/, "")}.json`;

/** Scan 1 has focus stacks, scan 2 has not, scan 12 has no photos. */
async function createProject(stackedPhotos = stacked) {
  const directory = await temporaryFolder();
  const store = new ProjectStore({ directory, clock: new FakeClock(), log: silentLogger });
  await store.load();
  await store.create("Vase", "blue");
  const vase = join(directory, "Vase");
  const write = async (file: string) => {
    await mkdir(join(vase, file, ".."), { recursive: true });
    await writeFile(join(vase, file), file);
  };
  for (let index = 1; index <= 12; index++) {
    const settings = ScanSettings.parse({ points: 2, focus_stacks: index === 1 ? 2 : 1 });
    const camera_settings = CameraSettings.parse({});
    await store.createScan("Vase", { settings, camera_settings, camera_name: "front", description: null });
    if (index > 2 && index < 12) await store.deleteScan("Vase", index, () => {});
  }
  for (const index of [1, 2] as const) {
    const listed = [...photos[index], ...(index === 1 ? stackedPhotos : [])];
    for (const photo of listed) await write(`scan0${index}/${photo}`);
    for (const photo of photos[index]) await write(`scan0${index}/${metadataOf(photo)}`);
    await store.updateScan("Vase", index, () => ({ photos: listed }));
  }
  await write("thumbnail.jpg");
  await write("scan01/stacked/calibration_scan01.json");
  return {
    store,
    vase,
    write,
    project: () => store.get("Vase"),
    archiveProject: (options: Partial<ProjectArchiveOptions> = {}) =>
      projectArchive(store.get("Vase"), { ...everything, ...options }, store),
    archiveScans: (indices: readonly number[] | undefined, options: Partial<ScanArchiveOptions> = {}) =>
      scansArchive(store.get("Vase"), indices, { preferStacked: false, ...options }, store),
  };
}

async function contents({ entries }: Archive): Promise<Record<string, string>> {
  const parts: Buffer[] = [];
  await writeZip(entries, async (bytes) => void parts.push(Buffer.from(bytes)));
  return readTexts(Buffer.concat(parts));
}

const names = (found: Record<string, string>) => Object.keys(found).toSorted();
const everything = {
  photosOnly: false,
  preferStacked: false,
};

const scan01 = [
  "scan01/poses.json",
  "scan01/scan.json",
  "scan01/stacked/calibration_scan01.json",
  ...stacked.map((photo) => `scan01/${photo}`),
];
const originals01 = photos[1].flatMap((photo) => [`scan01/${photo}`, `scan01/${metadataOf(photo)}`]);
const scan02 = [
  "scan02/poses.json",
  "scan02/scan.json",
  ...photos[2].flatMap((photo) => [`scan02/${photo}`, `scan02/${metadataOf(photo)}`]),
];
const own = ["openscan_project.json", "thumbnail.jpg"];

test("a project lies in a folder of its name, beside what the API tells of it", async () => {
  const { project, archiveProject } = await createProject();
  const archive = await archiveProject();
  expect(archive.name).toBe("Vase.zip");
  const found = await contents(archive);
  const files = [...own, ...scan01, ...originals01, ...scan02, "scan12/scan.json"];
  expect(names(found)).toEqual([...files.map((file) => `Vase/${file}`), "project_metadata.json"].toSorted());
  expect(found["Vase/scan02/scan02_001.dng"]).toBe("scan02/scan02_001.dng");
  expect(JSON.parse(found["Vase/scan01/scan.json"] ?? "")).toEqual(project().scans["scan01"]);
  expect(JSON.parse(found["project_metadata.json"] ?? "")).toEqual(project());
});

test("stacked photos preferred: at the root, without what they were made of", async () => {
  const { archiveProject } = await createProject();
  const archive = await archiveProject({ preferStacked: true });
  expect(archive.name).toBe("Vase_stacked_preferred.zip");
  const files = [...own, ...scan01, ...scan02, "scan12/scan.json", "project_metadata.json"];
  expect(names(await contents(archive))).toEqual(files.toSorted());
});

test("photos of positions that have no stacked one yet stay, also when stacked ones are preferred", async () => {
  const { archiveProject } = await createProject(stacked.slice(0, 1));
  const archive = await archiveProject({ preferStacked: true });
  const found = names(await contents(archive));
  for (const photo of photos[1]) {
    const stays = photo.startsWith("scan01_001");
    expect(found.includes(`scan01/${photo}`), photo).toBe(stays);
    expect(found.includes(`scan01/${metadataOf(photo)}`), photo).toBe(stays);
  }
  const flat = await archiveProject({ photosOnly: true, preferStacked: true });
  expect(names(await contents(flat))).toEqual(
    ["stacked_scan01_000.jpg", ...photos[1].slice(2), ...photos[2]].toSorted(),
  );
});

test("photos only: side by side, the recorded ones that are there", async () => {
  const { vase, write, archiveProject } = await createProject();
  await rm(join(vase, "scan01", photos[1][0]));
  await write("scan02/scan02_099.jpg");
  const archive = await archiveProject({ photosOnly: true, preferStacked: false });
  expect(archive.name).toBe("Vase_photos.zip");
  const found = await contents(archive);
  expect(names(found)).toEqual([...photos[1].slice(1), ...photos[2]]);
  expect(found["scan01_000_fs01.jpg"]).toBe("scan01/scan01_000_fs01.jpg");
});

test("photos only, stacked preferred", async () => {
  const { archiveProject } = await createProject();
  const archive = await archiveProject({ photosOnly: true, preferStacked: true });
  expect(archive.name).toBe("Vase_photos.zip");
  const found = await contents(archive);
  expect(names(found)).toEqual([...photos[2], "stacked_scan01_000.jpg", "stacked_scan01_001.jpg"]);
  expect(found["stacked_scan01_001.jpg"]).toBe("scan01/stacked/stacked_scan01_001.jpg");
});

test("photos only of a project without any is not found", async () => {
  const { store } = await createProject();
  await store.create("Empty", null);
  await expect(
    projectArchive(store.get("Empty"), { photosOnly: true, preferStacked: false }, store),
  ).rejects.toMatchObject({ code: "not_found" });
});

test.each([
  [undefined, "Vase_all_scans.zip", [...scan01, ...originals01, ...scan02, "scan12/scan.json"]],
  [[1], "Vase_scan01.zip", [...scan01, ...originals01]],
  [[12], "Vase_scan12.zip", ["scan12/scan.json"]],
  [[12, 2, 2], "Vase_scans_2_12.zip", [...scan02, "scan12/scan.json"]],
  [[2, 77], "Vase_scans_2_77.zip", scan02],
])("scans %o are in %s; those that there are not are passed over", async (indices, name, files) => {
  const { project, archiveScans } = await createProject();
  const archive = await archiveScans(indices, { preferStacked: false });
  expect(archive.name).toBe(name);
  const found = await contents(archive);
  expect(names(found)).toEqual([...files, "project_metadata.json"].toSorted());
  expect(JSON.parse(found["project_metadata.json"] ?? "")).toEqual(project());
});

test("scans with stacked photos preferred", async () => {
  const { archiveScans } = await createProject();
  const archive = await archiveScans([1, 2], { preferStacked: true });
  expect(archive.name).toBe("Vase_scans_1_2.zip");
  expect(names(await contents(archive))).toEqual([...scan01, ...scan02, "project_metadata.json"].toSorted());
});

test("a model lies in its folder; a project without one is not found", async () => {
  const { project, vase, write } = await createProject();
  await expect(modelArchive(project())).rejects.toMatchObject({ code: "not_found" });
  await mkdir(join(vase, "model"));
  await expect(modelArchive(project())).rejects.toMatchObject({ code: "not_found" });
  await write("model/mesh.obj");
  await write("model/textures/0.png");
  const archive = await modelArchive(project());
  expect(archive.name).toBe("Vase_model.zip");
  const expected = ["model/mesh.obj", "model/textures/0.png", "project_metadata.json"];
  expect(names(await contents(archive))).toEqual(expected);
});

test("defect 34: links lead nowhere, and what is being written is left out", async () => {
  const { vase, write, archiveProject } = await createProject();
  const elsewhere = await temporaryFolder();
  await writeFile(join(elsewhere, "secret.txt"), "secret");
  const before = names(await contents(await archiveProject()));
  await symlink(join(elsewhere, "secret.txt"), join(vase, "secret.txt"));
  await symlink(elsewhere, join(vase, "scan02/elsewhere"));
  await write("scan02/.tmp_0123456789ab_scan02_002.jpg");
  await write(".tmp_0123456789ab_scan13/scan.json");
  expect(names(await contents(await archiveProject()))).toEqual(before);
});

test("poses lie beside the photos of their scan, and name them as they lie there", async () => {
  const { vase, archiveProject, archiveScans } = await createProject();
  for (const photo of photos[1]) {
    const slot = /_(\d+)_fs(\d+)/.exec(photo);
    const metadata = {
      format: "jpeg",
      camera_metadata: {
        camera_name: "front",
        camera_settings: CameraSettings.parse({ orientation_flag: 1 }),
        raw_metadata: {
          FocalLengthPixels: 700,
          ImageSize: [640, 480],
          actual_position: { theta: 90, fi: 10 * Number(slot?.[1]) + Number(slot?.[2]) },
        },
      },
      scan_metadata: {
        step: Number(slot?.[1]),
        stack_index: Number(slot?.[2]),
        polar_coordinates: { theta: 90, fi: 0, r: 110 },
        cart_coordinates: { x: 0, y: 0, z: 0 },
        project_name: "Vase",
        scan_index: 1,
      },
    };
    await writeFile(join(vase, "scan01", metadataOf(photo)), JSON.stringify(metadata));
  }
  const namesIn = (images = "") => [...images.matchAll(/^\d+ .* (\S+)\n\n/gm)].map(([, name]) => name);

  const whole = await contents(await archiveProject({ withPoses: "colmap" }));
  expect(namesIn(whole["Vase/scan01/sparse/0/images.txt"])).toEqual(photos[1]);
  expect(whole["Vase/scan01/sparse/0/cameras.txt"]).toBe("1 PINHOLE 640 480 700 700 320 240\n");
  expect((JSON.parse(whole["Vase/scan01/poses.json"] ?? "") as { photos: unknown[] }).photos).toHaveLength(4);

  const stackedOnly = await contents(await archiveScans([1], { withPoses: "colmap", preferStacked: true }));
  expect(namesIn(stackedOnly["scan01/sparse/0/images.txt"])).toEqual(stacked);

  const flat = await contents(
    await archiveProject({ photosOnly: true, preferStacked: true, withPoses: "transforms" }),
  );
  const transforms = JSON.parse(flat["scan01/transforms.json"] ?? "") as { frames: { file_path: string }[] };
  expect(transforms.frames.map(({ file_path }) => file_path)).toEqual([
    "../stacked_scan01_000.jpg",
    "../stacked_scan01_001.jpg",
  ]);
  const beside = await contents(await archiveProject({ photosOnly: true, withPoses: "xmp" }));
  for (const photo of photos[1]) expect(beside[photo.replace(".jpg", ".xmp")]).toContain("<xcr:Position>");
});

test("a scan that goes on has its newest poses in the archive, without their being written for it", async () => {
  const { store, vase, archiveProject } = await createProject();
  const before = await contents(await archiveProject());
  await store.deletePhotos("Vase", 2, [photos[2][0]], () => {});
  const written = await readFile(join(vase, "scan02/poses.json"), "utf8");
  const after = await contents(await archiveProject());
  expect(after["Vase/scan02/poses.json"]).toBe(written);
  expect(before["Vase/scan02/poses.json"]).not.toBe(written);
  expect(existsSync(join(vase, "scan01/poses.json"))).toBe(false);
});

test("an archive is as new as its newest file", async () => {
  const { vase, archiveProject } = await createProject();
  const newest = new Date("2030-01-02T03:04:06Z");
  await utimes(join(vase, "scan02/scan02_000.jpg"), newest, newest);
  const archive = await archiveProject();
  expect(archive.modified).toEqual(newest);
  const parts: Buffer[] = [];
  await writeZip(archive.entries, async (bytes) => void parts.push(Buffer.from(bytes)));
  const entry = readZip(Buffer.concat(parts)).find(({ name }) => name === "Vase/scan02/scan02_000.jpg");
  expect(entry?.modified).toEqual(newest);
});
