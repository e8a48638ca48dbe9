import { cp, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CameraSettings, ScanSettings, type Scan } from "@openscan/protocol";
import { FakeClock, recordingLogger } from "@openscan/runtime/testing";
import { describe, expect, test } from "vitest";
import { createBench, folderSize, temporaryFolder } from "../tasks/testing.js";
import { ProjectStore } from "./project-store.js";

async function load(directory: string) {
  const log = recordingLogger();
  const store = new ProjectStore({ directory, clock: new FakeClock(), log });
  await store.load();
  return { store, log };
}

/** A folder with project `Vase` and a complete scan of five positions. */
async function scannedFolder() {
  const { directory, start, ended, store } = await createBench();
  await ended((await start({ optimize_path: false })).id);
  await store.close();
  const scan01 = join(directory, "Vase/scan01");
  const edit = async (change: Partial<Record<keyof Scan, unknown>>) => {
    const file = join(scan01, "scan.json");
    const scan = JSON.parse(await readFile(file, "utf8")) as Scan;
    await writeFile(file, JSON.stringify({ ...scan, ...change }, null, 2));
  };
  return { directory, scan01, edit, before: store.scan("Vase", 1) };
}

const all = [0, 1, 2, 3, 4].map((step) => `scan01_00${step}.jpg`);

test("a tidy folder is loaded as it was, without writing anything", async () => {
  const { directory, before } = await scannedFolder();
  const copy = await temporaryFolder();
  await cp(directory, copy, { recursive: true });
  const { store, log } = await load(directory);
  expect(store.scan("Vase", 1)).toEqual(before);
  expect(log.lines).toEqual([]);
  for (const file of ["Vase/openscan_project.json", "Vase/scan01/scan.json"]) {
    expect(await readFile(join(directory, file), "utf8")).toBe(await readFile(join(copy, file), "utf8"));
  }
});

describe("after a kill", () => {
  test.each(["pending", "running", "paused"])(
    "defect 8: a %s scan is interrupted and keeps its task",
    async (status) => {
      const { directory, edit, scan01 } = await scannedFolder();
      await edit({ status, task_id: "task-1", current_step: 3, photos: all.slice(0, 3) });
      await rm(join(scan01, "scan01_003.jpg"));
      await rm(join(scan01, "scan01_004.jpg"));
      const { store } = await load(directory);
      expect(store.scan("Vase", 1)).toMatchObject({
        status: "interrupted",
        task_id: "task-1",
        current_step: 3,
      });
      expect(JSON.parse(await readFile(join(scan01, "scan.json"), "utf8"))).toEqual(store.scan("Vase", 1));
    },
  );

  test("defect 20: a scan with all its photos was complete, although nobody had noted it", async () => {
    const { directory, edit } = await scannedFolder();
    await edit({ status: "running", current_step: 4, photos: all.slice(0, 4) });
    expect((await load(directory)).store.scan("Vase", 1)).toMatchObject({
      status: "completed",
      current_step: 5,
      photos: all,
    });
  });

  test("stacking that was under way is interrupted", async () => {
    const { directory, edit } = await scannedFolder();
    await edit({ stacking_task_status: { task_id: "t", status: "paused" } });
    expect((await load(directory)).store.scan("Vase", 1).stacking_task_status).toEqual({
      task_id: null,
      status: "interrupted",
    });
  });

  test("photos agree with the disk: whole ones are added in order, missing and empty ones dropped, none doubled", async () => {
    const { directory, edit, scan01 } = await scannedFolder();
    await edit({
      status: "running",
      photos: ["scan01_000.jpg", "scan01_000.jpg", "scan01_003.jpg", "scan01_004.jpg"],
    });
    await rm(join(scan01, "scan01_003.jpg"));
    await writeFile(join(scan01, "scan01_004.jpg"), "");
    await rm(join(scan01, "metadata/scan01_001.json"));
    await writeFile(join(scan01, "notes.jpg"), "not a photo of the scan");
    const { store } = await load(directory);
    // Without metadata a photo has not been finished: position 1 is taken again.
    expect(store.scan("Vase", 1)).toMatchObject({
      photos: ["scan01_000.jpg", "scan01_002.jpg"],
      current_step: 1,
    });
    expect(store.scan("Vase", 1).total_size_bytes).toBe(await folderSize(scan01));
  });

  test("stacked photos that are not listed are added", async () => {
    const { directory, scan01 } = await scannedFolder();
    await mkdir(join(scan01, "stacked"));
    await writeFile(join(scan01, "stacked/stacked_scan01_001.jpg"), "12345");
    await writeFile(join(scan01, "stacked/calibration_scan01.json"), "{}");
    const { store } = await load(directory);
    expect(store.scan("Vase", 1)).toMatchObject({
      photos: [...all, "stacked/stacked_scan01_001.jpg"],
      stacked_size_bytes: 5,
      status: "completed",
    });
  });

  test("unfinished writes and half-deleted folders are swept away", async () => {
    const { directory, scan01 } = await scannedFolder();
    await mkdir(join(directory, ".tmp_0123456789ab_Bowl/scan01"), { recursive: true });
    await mkdir(join(directory, "Vase/.tmp_0123456789ab_scan02/metadata"), { recursive: true });
    await writeFile(join(scan01, ".tmp_0123456789ab_scan01_004.jpg"), "half");
    await writeFile(join(scan01, "metadata/.tmp_0123456789ab_scan01_004.json"), "{");
    const { store } = await load(directory);
    expect(await readdir(directory)).toEqual(["Vase"]);
    const names = await readdir(join(directory, "Vase"), { recursive: true });
    expect(names.filter((name) => name.includes(".tmp_"))).toEqual([]);
    expect(store.scan("Vase", 1).total_size_bytes).toBe(await folderSize(scan01));
  });

  test("a scan's folder without scan.json is no scan, and its index stays taken", async () => {
    const { directory } = await scannedFolder();
    await mkdir(join(directory, "Vase/scan02/metadata"), { recursive: true });
    const { store } = await load(directory);
    expect(Object.keys(store.get("Vase").scans)).toEqual(["scan01"]);
    const { settings, camera_name, camera_settings, description } = store.scan("Vase", 1);
    expect(
      await store.createScan("Vase", { settings, camera_name, camera_settings, description }),
    ).toMatchObject({ index: 3 });
  });

  test("the completed scan keeps its count when bad photos are sorted out", async () => {
    const { directory } = await scannedFolder();
    const { store } = await load(directory);
    expect(await store.deletePhotos("Vase", 1, ["scan01_001.jpg"], () => {})).toMatchObject({
      current_step: 5,
      status: "completed",
    });
    expect((await load(directory)).store.scan("Vase", 1)).toMatchObject({
      current_step: 5,
      status: "completed",
    });
  });
});

describe("defect 26: unreadable JSON hides nothing and is not overwritten", () => {
  test("a scan is listed with its photos and the reason, cannot be changed, but be deleted", async () => {
    const { directory, scan01 } = await scannedFolder();
    const file = join(scan01, "scan.json");
    await writeFile(file, '{ "project_name": "Va');
    const { store, log } = await load(directory);
    expect(store.scan("Vase", 1)).toMatchObject({
      status: "error",
      photos: all,
      system_message: expect.stringContaining("scan.json is unreadable"),
      total_size_bytes: await folderSize(scan01),
    });
    expect(log.lines).toMatchObject([{ level: "error", fields: { file } }]);
    await expect(store.updateScan("Vase", 1, () => ({ status: "running" }))).rejects.toMatchObject({
      code: "conflict",
    });
    await expect(store.deletePhotos("Vase", 1, ["scan01_000.jpg"], () => {})).rejects.toMatchObject({
      code: "conflict",
    });
    expect(await readFile(file, "utf8")).toBe('{ "project_name": "Va');
    await store.deleteScan("Vase", 1, () => {});
    expect(await readdir(join(directory, "Vase"))).not.toContain("scan01");
  });

  test("a value that the schema refuses is named", async () => {
    const { directory, edit } = await scannedFolder();
    await edit({ status: "dreaming" });
    expect((await load(directory)).store.scan("Vase", 1).system_message).toMatch(
      /^scan\.json is unreadable: .*Invalid option.*\n.*at status$/,
    );
  });

  test("a project is listed with its scans, keeps its file, and its name stays taken", async () => {
    const { directory } = await scannedFolder();
    const file = join(directory, "Vase/openscan_project.json");
    await writeFile(file, "not json");
    const { store } = await load(directory);
    expect(store.get("Vase")).toMatchObject({ name: "Vase", scans: { scan01: { photos: all } } });
    await expect(store.create("Vase", null)).rejects.toMatchObject({ code: "bad_request" });
    await expect(store.updateScan("Vase", 1, () => ({ description: "x" }))).rejects.toMatchObject({
      code: "conflict",
    });
    expect(store.scan("Vase", 1).description).not.toBe("x");
    await store.close();
    expect(await readFile(file, "utf8")).toBe("not json");
    await store.delete("Vase", () => {});
    expect(await readdir(directory)).toEqual([]);
  });

  test("one bad project does not stop the others", async () => {
    const { directory } = await scannedFolder();
    await mkdir(join(directory, "Bad/openscan_project.json"), { recursive: true });
    await mkdir(join(directory, "Empty"));
    await writeFile(join(directory, "file.txt"), "");
    const { store } = await load(directory);
    expect(Object.keys(store.list())).toEqual(["Vase"]);
    await expect(store.create("Empty/x", null)).rejects.toMatchObject({ code: "bad_request" });
  });
});

describe("projects of the older backend", () => {
  test("defect 40: local times without a zone become UTC and stay it when the zone changes", async () => {
    const { directory, edit, scan01 } = await scannedFolder();
    const local = "2025-07-01T12:30:15.123456";
    const zone = process.env["TZ"];
    try {
      process.env["TZ"] = "Asia/Tokyo";
      await edit({ created: local, last_updated: "2025-07-01T12:30:15+02:00" });
      const { store } = await load(directory);
      expect(store.scan("Vase", 1)).toMatchObject({
        created: "2025-07-01T03:30:15.123Z",
        last_updated: "2025-07-01T10:30:15.000Z",
      });
      process.env["TZ"] = "America/New_York";
      expect((await load(directory)).store.scan("Vase", 1).created).toBe("2025-07-01T03:30:15.123Z");
      expect(JSON.parse(await readFile(join(scan01, "scan.json"), "utf8"))).toMatchObject({
        created: "2025-07-01T03:30:15.123Z",
      });
    } finally {
      if (zone === undefined) delete process.env["TZ"];
      else process.env["TZ"] = zone;
    }
  });

  test("members that did not exist yet get their defaults, the folder decides on name and index", async () => {
    const directory = await temporaryFolder();
    const scan = join(directory, "Renamed", "scan04");
    await mkdir(scan, { recursive: true });
    const created = "2024-01-01T00:00:00";
    await writeFile(
      join(directory, "Renamed/openscan_project.json"),
      JSON.stringify({ name: "Old", path: "/gone", created, scans: {} }),
    );
    const { min_phi, max_phi, ...settings } = ScanSettings.parse({});
    const stored = {
      project_name: "Old",
      index: 9,
      created,
      last_updated: created,
      settings,
      camera_settings: CameraSettings.parse({}),
    };
    await writeFile(join(scan, "scan.json"), JSON.stringify(stored));
    const { store } = await load(directory);
    expect(store.get("Renamed")).toMatchObject({
      name: "Renamed",
      path: join(directory, "Renamed"),
      description: null,
    });
    expect(store.scan("Renamed", 4)).toMatchObject({
      project_name: "Renamed",
      index: 4,
      status: "interrupted",
      settings: { ...settings, min_phi, max_phi },
      photos: [],
    });
  });
});
