import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rm, rmdir, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CameraSettings, type PhotoMetadata, type ScanPath, ScanSettings } from "@openscan/protocol";
import { FakeClock, recordingLogger } from "@openscan/runtime/testing";
import { describe, expect, test } from "vitest";
import { folderSize, temporaryFolder } from "../tasks/testing.js";
import { metadataName } from "./layout.js";
import { ProjectStore } from "./project-store.js";

const NOW = "2026-01-01T00:00:00.000Z";
const anytime = () => {};
const request = {
  settings: ScanSettings.parse({ points: 4 }),
  camera_name: "front",
  camera_settings: CameraSettings.parse({}),
  description: "dim light",
};

async function openStore(directory?: string) {
  const folder = directory ?? (await temporaryFolder());
  const log = recordingLogger();
  const clock = new FakeClock(Date.parse(NOW));
  const store = new ProjectStore({ directory: folder, clock, log });
  await store.load();
  return {
    directory: folder,
    log,
    clock,
    store,
    vase: join(folder, "Vase"),
    scan01: join(folder, "Vase/scan01"),
  };
}

async function withScan() {
  const bench = await openStore();
  await bench.store.create("Vase", "blue");
  await bench.store.createScan("Vase", request);
  return bench;
}

const polar = { theta: 90, fi: 0, r: 110 };
const cartesian = { x: 110, y: 0, z: 0 };
const path = (...steps: number[]): ScanPath => ({
  project_name: "Vase",
  scan_index: 1,
  generated: NOW,
  points: steps.map((original_step, execution_step) => ({ execution_step, original_step, polar, cartesian })),
});

function photo(step: number, size = 1000) {
  const metadata: PhotoMetadata = {
    format: "jpeg",
    camera_metadata: { camera_name: "front", camera_settings: request.camera_settings, raw_metadata: {} },
    scan_metadata: {
      step,
      polar_coordinates: polar,
      project_name: "Vase",
      scan_index: 1,
      stack_index: null,
      cart_coordinates: cartesian,
    },
  };
  return { file: `scan01_00${step}.jpg`, bytes: new Uint8Array(size).fill(step + 1), metadata, seconds: 1.5 };
}

const text = (file: string) => readFile(file, "utf8");
const json = async (file: string) => JSON.parse(await text(file)) as Record<string, unknown>;

describe("files", () => {
  test("projects and scans are JSON with two spaces, in the older backend's order", async () => {
    const { vase, scan01 } = await withScan();
    const bytes = (await stat(join(scan01, "scan.json"))).size;
    const project = {
      name: "Vase",
      path: vase,
      created: NOW,
      description: "blue",
      uploaded: false,
      cloud_project_name: null,
      downloaded: false,
      scans: { scan01: { index: 1, created: NOW, total_size_bytes: bytes } },
    };
    expect(await text(join(vase, "openscan_project.json"))).toBe(JSON.stringify(project, null, 2));
    const scan = {
      project_name: "Vase",
      index: 1,
      created: NOW,
      status: "pending",
      settings: request.settings,
      camera_name: "front",
      camera_settings: request.camera_settings,
      current_step: 0,
      system_message: null,
      last_updated: NOW,
      description: "dim light",
      duration: 0,
      total_size_bytes: bytes,
      stacked_size_bytes: 0,
      photos: [],
      task_id: null,
      stacking_task_status: null,
    };
    expect(await text(join(scan01, "scan.json"))).toBe(JSON.stringify(scan, null, 2));
    expect((await readdir(scan01)).sort()).toEqual(["metadata", "scan.json"]);
  });

  test("a photo lies beside its metadata and is told by the scan and to listeners", async () => {
    const { store, scan01 } = await withScan();
    const told: string[] = [];
    store.photos.on(({ file, scan }) => told.push(`${file} of ${scan.photos.length}`));
    await store.savePath("Vase", 1, path(2, 0, 1, 3));
    await store.savePhoto("Vase", 1, photo(2));
    const scan = await store.savePhoto("Vase", 1, photo(1));
    expect(scan).toMatchObject({
      photos: ["scan01_002.jpg", "scan01_001.jpg"],
      current_step: 1,
      duration: 3,
    });
    expect(told).toEqual(["scan01_002.jpg of 1", "scan01_001.jpg of 2"]);
    expect(new Uint8Array(await readFile(join(scan01, "scan01_002.jpg")))).toEqual(photo(2).bytes);
    expect(await json(join(scan01, "metadata/scan01_002.json"))).toEqual(photo(2).metadata);
    expect(await store.readPath("Vase", 1)).toEqual(path(2, 0, 1, 3));
    expect(await json(join(scan01, "scan.json"))).toEqual(scan);
  });

  test("sizes are exact, at every digit that they gain, also when a photo is taken again or deleted", async () => {
    const { store, scan01 } = await withScan();
    const check = async () => {
      expect(store.scan("Vase", 1).total_size_bytes).toBe(await folderSize(scan01));
      expect(await json(join(scan01, "scan.json"))).toEqual(store.scan("Vase", 1));
    };
    await check();
    await store.savePath("Vase", 1, path(0, 1, 2, 3));
    for (const [step, size] of [
      [0, 10],
      [1, 7000],
      [2, 90_000],
      [3, 899_000],
      [1, 5],
    ] as const) {
      await store.savePhoto("Vase", 1, photo(step, size));
      await check();
    }
    await store.deletePhotos("Vase", 1, ["scan01_003.jpg", "scan01_009.jpg"], anytime);
    await check();
    expect(store.scan("Vase", 1)).toMatchObject({
      photos: ["scan01_000.jpg", "scan01_001.jpg", "scan01_002.jpg"],
    });
    expect(existsSync(join(scan01, metadataName("scan01_003.jpg")))).toBe(false);
    await store.close();
    const { scans } = (await json(join(scan01, "../openscan_project.json"))) as {
      scans: Record<string, { total_size_bytes: number }>;
    };
    expect(scans["scan01"]?.total_size_bytes).toBe(await folderSize(scan01));
  });

  test("deleting photos never touches another file", async () => {
    const { store, scan01 } = await withScan();
    await store.deletePhotos("Vase", 1, ["scan.json", "metadata"], anytime);
    expect(existsSync(join(scan01, "scan.json"))).toBe(true);
    await expect(store.deletePhotos("Vase", 1, ["../scan01/scan.json"], anytime)).rejects.toMatchObject({
      code: "bad_request",
    });
  });

  test("defect 31: a photo rewrites its own scan.json only", async () => {
    const { store, scan01, vase } = await withScan();
    await store.createScan("Vase", request);
    const others = [join(vase, "scan02/scan.json"), join(vase, "openscan_project.json")];
    const inodes = () => Promise.all(others.map(async (file) => (await stat(file)).ino));
    const before = await inodes();
    const own = (await stat(join(scan01, "scan.json"))).ino;
    await store.savePhoto("Vase", 1, photo(0));
    expect(await inodes()).toEqual(before);
    expect((await stat(join(scan01, "scan.json"))).ino).not.toBe(own);
  });

  test("nothing of a failed write is kept, and the disk's reason is told", async () => {
    const { store, scan01 } = await withScan();
    await mkdir(join(scan01, "scan01_000.jpg"));
    await expect(store.savePhoto("Vase", 1, photo(0))).rejects.toMatchObject({
      code: "storage",
      message: expect.stringMatching(/scan01_000\.jpg could not be written: EISDIR/),
    });
    expect(store.scan("Vase", 1).photos).toEqual([]);
    await store.savePhoto("Vase", 1, photo(1));
    expect(store.scan("Vase", 1).photos).toEqual(["scan01_001.jpg"]);
  });

  test("a photo is never there without its metadata", async () => {
    const { store, scan01 } = await withScan();
    await mkdir(join(scan01, metadataName("scan01_002.jpg")));
    await expect(store.savePhoto("Vase", 1, photo(2))).rejects.toMatchObject({ code: "storage" });
    expect(existsSync(join(scan01, "scan01_002.jpg"))).toBe(false);
  });

  test("a state that the disk refused is written at the end, when it takes it", async () => {
    const { store, scan01 } = await withScan();
    const file = join(scan01, "scan.json");
    await rm(file);
    await mkdir(file);
    const update = store.updateScan("Vase", 1, () => ({ status: "running" }));
    await expect(update).rejects.toMatchObject({ code: "storage" });
    await rmdir(file);
    await store.close();
    expect(await json(file)).toEqual(store.scan("Vase", 1));
    expect(store.scan("Vase", 1).status).toBe("running");
  });
});

describe("a disk that does not obey", () => {
  test("folders that were removed by hand are not made anew", async () => {
    const { store, directory, vase, scan01 } = await withScan();
    await rm(scan01, { recursive: true });
    await expect(store.savePhoto("Vase", 1, photo(0))).rejects.toMatchObject({
      code: "storage",
      message: expect.stringContaining(scan01),
    });
    expect(existsSync(scan01)).toBe(false);
    await rm(vase, { recursive: true });
    await expect(store.createScan("Vase", request)).rejects.toMatchObject({ code: "storage" });
    expect(existsSync(vase)).toBe(false);
    await rm(directory, { recursive: true });
    await expect(store.create("Bowl", null)).rejects.toMatchObject({
      code: "storage",
      message: expect.stringMatching(/Bowl could not be made: ENOENT/),
    });
    expect(existsSync(directory)).toBe(false);
  });

  test("a folder for metadata that is missing is made, in an old project too", async () => {
    const { store, scan01 } = await withScan();
    await rm(join(scan01, "metadata"), { recursive: true });
    await store.savePhoto("Vase", 1, photo(0));
    expect(existsSync(join(scan01, metadataName("scan01_000.jpg")))).toBe(true);
  });

  test("a scan that the project's file cannot take does not exist", async () => {
    const { store, vase, directory } = await withScan();
    await rm(join(vase, "openscan_project.json"));
    await mkdir(join(vase, "openscan_project.json"));
    await expect(store.createScan("Vase", request)).rejects.toMatchObject({
      code: "storage",
      message: expect.stringContaining("openscan_project.json could not be written"),
    });
    expect(Object.keys(store.get("Vase").scans)).toEqual(["scan01"]);
    expect(existsSync(join(vase, "scan02"))).toBe(false);
    await rmdir(join(vase, "openscan_project.json"));
    expect(await store.createScan("Vase", request)).toMatchObject({ index: 3, status: "pending" });
    const { store: again } = await openStore(directory);
    expect(Object.keys(again.get("Vase").scans)).toEqual(["scan01", "scan03"]);
  });
});

describe("defect 30: no update is lost", () => {
  test("parallel updates and photos all arrive, in memory and on the disk", async () => {
    const { store, scan01 } = await withScan();
    await Promise.all([
      ...[0, 1, 2, 3].map((step) => store.savePhoto("Vase", 1, photo(step))),
      ...Array.from({ length: 20 }, () =>
        store.updateScan("Vase", 1, ({ description }) => ({ description: `${description}!` })),
      ),
    ]);
    const scan = store.scan("Vase", 1);
    expect(scan.description).toBe(`dim light${"!".repeat(20)}`);
    expect(scan.photos).toHaveLength(4);
    expect(await json(join(scan01, "scan.json"))).toEqual(scan);
  });

  test("what was handed out never changes, and nobody can change the store through it", async () => {
    const { store } = await withScan();
    const before = store.get("Vase");
    const scan = store.scan("Vase", 1);
    await store.savePhoto("Vase", 1, photo(0));
    expect(before.scans["scan01"]?.photos).toEqual([]);
    expect(() => scan.photos.push("forged.jpg")).toThrow(TypeError);
    expect(() => Object.assign(scan.settings, { points: 1 })).toThrow(TypeError);
    before.scans = {};
    expect(Object.keys(store.get("Vase").scans)).toEqual(["scan01"]);
  });

  test("a change is visible at once", async () => {
    const { store } = await withScan();
    const saved = store.updateScan("Vase", 1, () => ({ status: "running" }));
    expect(store.scan("Vase", 1).status).toBe("running");
    expect(await saved).toMatchObject({ status: "running" });
  });
});

describe("names", () => {
  test.each(["", " a", "a.", "a/b", "..", "CON", "a:b", "x".repeat(151), "a\u0000", "🏺"])(
    "%j is refused",
    async (name) => {
      const { store, directory } = await openStore();
      await expect(store.create(name, null)).rejects.toMatchObject({ code: "bad_request" });
      expect(await readdir(directory)).toEqual([]);
    },
  );

  test("defect 39: composed and decomposed names are one project, in memory and on the disk", async () => {
    const { store, directory } = await openStore();
    const decomposed = "Cafe\u0301";
    expect(await store.create(decomposed, null)).toMatchObject({
      name: "Café",
      path: join(directory, "Café"),
    });
    expect(store.get(decomposed)).toEqual(store.get("Café"));
    await expect(store.create("Café", null)).rejects.toMatchObject({ code: "bad_request" });
    await store.delete(decomposed, anytime);
    expect(store.list()).toEqual({});
    expect(await readdir(directory)).toEqual([]);
  });

  test("defect 39: an older folder with a decomposed name is found and can be deleted", async () => {
    const { directory, store } = await openStore();
    await store.create("Vase", null);
    const folder = join(directory, "Cafe\u0301");
    await mkdir(folder);
    await writeFile(
      join(folder, "openscan_project.json"),
      await text(join(directory, "Vase/openscan_project.json")),
    );
    const { store: next } = await openStore(directory);
    expect(Object.keys(next.list())).toEqual(["Café", "Vase"]);
    expect(next.get("Café")).toMatchObject({ name: "Café", path: folder });
    await next.delete("Café", anytime);
    expect(await readdir(directory)).toEqual(["Vase"]);
  });

  test("a name that objects have anyway is a name like any other", async () => {
    const { store } = await openStore();
    expect(() => store.get("constructor")).toThrow(expect.objectContaining({ code: "not_found" }));
    await store.create("__proto__", null);
    expect(Object.keys(store.list())).toEqual(["__proto__"]);
  });

  test("a name that is too long for the disk is refused", async () => {
    const { store } = await openStore();
    await expect(store.create("宇".repeat(150), null)).rejects.toMatchObject({
      code: "bad_request",
      message: expect.stringContaining("too long"),
    });
    await store.create("宇".repeat(80), null);
  });
});

describe("defect 26: nothing is overwritten or comes back", () => {
  test("creating a project never takes a folder over, whatever is in it", async () => {
    const { store, directory } = await openStore();
    await mkdir(join(directory, "Old"));
    await writeFile(join(directory, "Old/notes.txt"), "keep me");
    await expect(store.create("Old", null)).rejects.toMatchObject({ code: "bad_request" });
    expect(await readdir(join(directory, "Old"))).toEqual(["notes.txt"]);
    const both = await Promise.allSettled([store.create("New", "one"), store.create("New", "two")]);
    expect(both.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    expect(await readdir(directory)).toEqual(["New", "Old"]);
  });

  test("an index is not given again while the scan that had it, or its folder, may still be written to", async () => {
    const { store, vase, directory } = await withScan();
    expect(await store.createScan("Vase", request)).toMatchObject({ index: 2 });
    await store.deleteScan("Vase", 2, anytime);
    expect(await store.createScan("Vase", request)).toMatchObject({ index: 3 });
    await store.close();
    const { store: next } = await openStore(directory);
    await next.deleteScan("Vase", 3, anytime);
    expect(await next.createScan("Vase", request)).toMatchObject({ index: 4 });
    await mkdir(join(vase, "scan07"));
    expect(await store.createScan("Vase", request)).toMatchObject({ index: 8 });
  });

  test("late writes of a deleted scan or project find nothing to write to", async () => {
    const { store, vase, directory } = await withScan();
    const deletion = store.deleteScan("Vase", 1, anytime);
    await expect(store.savePhoto("Vase", 1, photo(0))).rejects.toMatchObject({ code: "not_found" });
    await deletion;
    expect(await readdir(vase)).toEqual(["openscan_project.json"]);
    const scan = await store.createScan("Vase", request);
    const removal = store.delete("Vase", anytime);
    const late = [store.savePhoto("Vase", scan.index, photo(0)), store.createScan("Vase", request)];
    expect((await Promise.allSettled(late)).map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    await removal;
    expect(await readdir(directory)).toEqual([]);
    await expect(store.delete("Vase", anytime)).rejects.toMatchObject({ code: "not_found" });
  });

  test("a guard that objects stops the deletion", async () => {
    const { store } = await withScan();
    const object = () => {
      throw new Error("in use");
    };
    await expect(store.deleteScan("Vase", 1, object)).rejects.toThrow("in use");
    await expect(store.delete("Vase", object)).rejects.toThrow("in use");
    expect(store.scan("Vase", 1).index).toBe(1);
  });
});

describe("defect 38: paths that clients send", () => {
  test.each([
    "",
    "/etc/passwd",
    "a//b",
    "./a",
    "a/..",
    "../scan.json",
    "..\\scan.json",
    "C:\\x",
    "a\0",
    "metadata/",
  ])("%j is a bad request", async (filename) => {
    const { store } = await withScan();
    await expect(store.photoFile("Vase", 1, filename)).rejects.toMatchObject({ code: "bad_request" });
  });

  test("files inside are found, `\\` counts as `/`, and links do not lead out", async () => {
    const { store, scan01, vase } = await withScan();
    await store.savePhoto("Vase", 1, photo(0));
    expect(await store.photoFile("Vase", 1, "scan01_000.jpg")).toBe(join(scan01, "scan01_000.jpg"));
    expect(await store.photoFile("Vase", 1, "metadata\\scan01_000.json")).toBe(
      join(scan01, "metadata/scan01_000.json"),
    );
    await writeFile(join(vase, "secret.txt"), "secret");
    await symlink(join(vase, "secret.txt"), join(scan01, "out.jpg"));
    await symlink(vase, join(scan01, "up"));
    for (const name of ["out.jpg", "up/secret.txt", "metadata", "none.jpg", "scan01_000.jpg/x"]) {
      await expect(store.photoFile("Vase", 1, name)).rejects.toMatchObject({ code: "not_found" });
    }
  });
});

test("the list as JSON says what the list says, whatever has changed", async () => {
  const { store } = await withScan();
  await store.create('größe "2"'.replaceAll('"', "'"), null);
  const check = () => expect(JSON.parse(store.listJson())).toEqual(JSON.parse(JSON.stringify(store.list())));
  check();
  await store.savePhoto("Vase", 1, photo(0));
  check();
  await store.createScan("Vase", request);
  await store.updateScan("Vase", 2, () => ({ status: "running" }));
  check();
  await store.deleteScan("Vase", 1, anytime);
  check();
  await store.delete("Vase", anytime);
  check();
  expect(Object.keys(store.list())).toEqual(["größe '2'"]);
});
