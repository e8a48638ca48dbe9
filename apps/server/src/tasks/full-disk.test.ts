import { createHash } from "node:crypto";
import { mkdir, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { PhotoMetadata, Scan, ScanPath } from "@openscan/protocol";
import { settle } from "@openscan/runtime/testing";
import { describe, expect, test } from "vitest";
import { mountSmallDisk, smallDiskMissing } from "../../test/support/small-disk.js";
import { createBench, type Step } from "./testing.js";

const MB = 2 ** 20;
const photoBytes = 100_000;

/** A bench whose projects lie on a disk of 2 MB and whose photos have 100 kB each. */
async function createSmallBench() {
  const disk = await mountSmallDisk(2 * MB);
  const directory = join(disk.folder, "projects");
  await mkdir(directory);
  const bench = await createBench({ directory });
  bench.device.photoBytes = photoBytes;
  const scanFolder = join(directory, "Vase/scan01");
  return { ...bench, disk, scanFolder };
}

type SmallBench = Awaited<ReturnType<typeof createSmallBench>>;

/** Calls `then` at the third capture, when two photos are on the disk. */
const atThirdCapture = ({ store }: Pick<SmallBench, "store">, then: () => Promise<void> | void) => {
  let count = 0;
  return async (step: Step) => {
    if (step !== "capture" || ++count !== 3) return;
    while (store.scan("Vase", 1).photos.length < 2) await settle();
    await store.close();
    await then();
  };
};

const captures = ({ device }: SmallBench) => device.done.filter((entry) => entry === "capture").length;
const moves = ({ device }: SmallBench) => device.done.filter((entry) => entry.startsWith("move")).length;

/** Lets everything happen that happens without time, until each write that was refused waits for its next try. */
async function standstill(bench: SmallBench): Promise<void> {
  const { store, clock } = bench;
  const refused = () => Math.min(2, captures(bench) - store.scan("Vase", 1).photos.length);
  for (let turn = 0; turn < 20 || clock.pending !== refused(); turn++) await settle();
}

/** Lets time pass until the task has ended. */
async function inTime(bench: SmallBench, id: string) {
  let done = false;
  const end = bench.ended(id).finally(() => {
    done = true;
  });
  while (!done) await bench.clock.advance(100);
  return end;
}

/** Everything that the scan lists is there as a whole, as it was taken, and nothing else is. */
async function expectWhole(bench: SmallBench): Promise<void> {
  const { scanFolder, store } = bench;
  // What waits to be written to a full disk is refused again; none of it may be half there.
  await store.close().catch(() => {});
  const { photos } = store.scan("Vase", 1);
  const names = await readdir(scanFolder);
  expect(names.filter((name) => name.endsWith(".jpg")).sort()).toEqual([...photos].sort());
  expect(names.filter((name) => name.startsWith("."))).toEqual([]);
  for (const photo of photos) {
    const bytes = await readFile(join(scanFolder, photo));
    const hash = createHash("sha256").update(bytes).digest("hex");
    expect({ photo, hash: bench.device.taken.has(hash) }).toEqual({ photo, hash: true });
    const metadata = await readFile(join(scanFolder, "metadata", photo.replace(".jpg", ".json")), "utf8");
    expect(PhotoMetadata.parse(JSON.parse(metadata)).scan_metadata?.project_name).toBe("Vase");
  }
  ScanPath.parse(JSON.parse(await readFile(join(scanFolder, "path.json"), "utf8")));
}

const storedScan = async ({ scanFolder }: SmallBench) =>
  Scan.parse(JSON.parse(await readFile(join(scanFolder, "scan.json"), "utf8")));

describe.skipIf(smallDiskMissing)(`defect 16: a full disk${smallDiskMissing}`, () => {
  /** A scan that stands still because its third photo does not fit. */
  async function pausedScan() {
    const bench = await createSmallBench();
    const { id } = await bench.start();
    bench.device.before = atThirdCapture(bench, () => bench.disk.fill(photoBytes / 2));
    await bench.seen((task) => task.status === "paused");
    await standstill(bench);
    return { ...bench, id };
  }

  test("pauses the scan, which says why and goes on by itself when there is room again", async () => {
    const bench = await pausedScan();
    const { id, tasks, store, clock, disk, directory } = bench;
    const message = `The disk of ${directory}/Vase is full: 0.0 MB of 2.1 MB are free. Delete something there that is not needed. The scan then goes on.`;
    expect(tasks.get(id)).toMatchObject({ status: "paused", error: null, progress: { total: 5, message } });
    expect(store.scan("Vase", 1)).toMatchObject({
      status: "paused",
      system_message: message,
      current_step: 2,
    });
    const [taken, moved] = [captures(bench), moves(bench)];

    // As long as it stays full nothing moves, however often the photo is tried again.
    for (let second = 0; second < 60; second++) await clock.advance(1000);
    await standstill(bench);
    expect([captures(bench), moves(bench)]).toEqual([taken, moved]);
    expect(tasks.get(id)).toMatchObject({ status: "paused" });
    await expectWhole(bench);

    await disk.free();
    await clock.advance(5000);
    expect(await inTime(bench, id)).toMatchObject({
      status: "completed",
      progress: { current: 5, total: 5 },
    });
    expect(captures(bench)).toBe(5);
    expect(store.scan("Vase", 1)).toMatchObject({ status: "completed", system_message: null });
    expect(await storedScan(bench)).toEqual(store.scan("Vase", 1));
    await expectWhole(bench);
  });

  test("a resume tries again at once: in vain while it is full, and to the end when it is not", async () => {
    const bench = await pausedScan();
    const { id, tasks, disk, events } = bench;
    const told = events.length;
    tasks.resume(id);
    while (events.length < told + 2) await settle();
    await standstill(bench);
    expect(events.slice(told).filter((task) => task.status !== "running")).toHaveLength(1);
    expect(tasks.get(id)).toMatchObject({ status: "paused" });
    await disk.free();
    tasks.resume(id);
    expect(await inTime(bench, id)).toMatchObject({ status: "completed" });
    expect(captures(bench)).toBe(5);
    await expectWhole(bench);
  });

  test("a pause that somebody asked for meanwhile is ended by nobody else", async () => {
    const bench = await pausedScan();
    const { id, tasks, disk, clock, store } = bench;
    tasks.pause(id);
    await disk.free();
    await clock.advance(5000);
    while (store.scan("Vase", 1).photos.length < captures(bench)) await settle();
    await clock.advance(60_000);
    expect(tasks.get(id)).toMatchObject({ status: "paused" });
    tasks.resume(id);
    expect(await inTime(bench, id)).toMatchObject({ status: "completed" });
    expect(captures(bench)).toBe(5);
  });

  test("a scan that waits for room can be cancelled, and takes up again what did not fit", async () => {
    const bench = await pausedScan();
    const { id, tasks, disk, store, device } = bench;
    tasks.cancel(id);
    expect(await inTime(bench, id)).toMatchObject({ status: "cancelled" });
    expect(device.done.at(-1)).toBe("move 90/90");
    expect(store.scan("Vase", 1)).toMatchObject({ status: "cancelled", current_step: 2 });
    await expectWhole(bench);
    await disk.free();
    tasks.restart(id);
    expect(await inTime(bench, id)).toMatchObject({ status: "completed" });
    await expectWhole(bench);
    expect(store.scan("Vase", 1).photos).toHaveLength(5);
  });

  test("a process that ends while the disk is full leaves what the next one can go on with", async () => {
    const bench = await pausedScan();
    const { id, disk } = bench;
    const next = { ...bench, ...(await bench.restarted()) };
    next.device.taken = bench.device.taken;
    next.device.photoBytes = photoBytes;
    expect(next.store.scan("Vase", 1)).toMatchObject({ status: "interrupted", current_step: 2 });
    await bench.tasks.close();
    await disk.free();
    next.tasks.resume(id);
    expect(await inTime(next, id)).toMatchObject({ status: "completed" });
    expect(next.store.scan("Vase", 1).photos).toHaveLength(5);
    await expectWhole(next);
  });

  test("before the path is stored nothing moves", async () => {
    const bench = await createSmallBench();
    const { device, disk, seen, start, clock } = bench;
    device.before = (step) => (step === "prepare" && device.done.length === 0 ? disk.fill() : undefined);
    const { id } = await start();
    await seen((task) => task.status === "paused");
    for (let turn = 0; turn < 20 || clock.pending === 0; turn++) await settle();
    await clock.advance(20_000);
    expect(device.done).toEqual([]);
    await disk.free();
    await clock.advance(5000);
    expect(await inTime(bench, id)).toMatchObject({ status: "completed" });
    await expectWhole(bench);
  });

  test("a read-only folder pauses it, too", async () => {
    const bench = await createSmallBench();
    const { device, disk, seen, start, tasks, clock } = bench;
    device.before = atThirdCapture(bench, () => disk.setWritable(false));
    const { id } = await start();
    await seen((task) => task.status === "paused");
    expect(tasks.get(id)?.progress.message).toMatch(
      /projects\/Vase cannot be written to \(EROFS.*\)\. Make it writable\./,
    );
    await standstill(bench);
    disk.setWritable(true);
    await clock.advance(5000);
    expect(await inTime(bench, id)).toMatchObject({ status: "completed" });
    await expectWhole(bench);
  });

  test("what cannot be stored is refused as a whole and leaves nothing; deleting makes room", async () => {
    const bench = await createSmallBench();
    const { start, ended, store, scans, tasks, disk, directory } = bench;
    await ended((await start()).id);
    await disk.fill();
    const full = { code: "storage", message: expect.stringMatching(/ENOSPC/) as string };
    await expect(start()).rejects.toMatchObject(full);
    await expect(store.create("Bowl", null)).rejects.toMatchObject(full);
    expect(Object.keys(store.list())).toEqual(["Vase"]);
    expect(Object.keys(store.get("Vase").scans)).toEqual(["scan01"]);
    expect(tasks.list()).toHaveLength(1);
    expect(await readdir(directory)).toEqual(["Vase"]);
    expect((await readdir(join(directory, "Vase"))).sort()).toEqual([
      "openscan_project.json",
      "scan01",
      "thumbnail.jpg",
    ]);
    const [first = ""] = store.scan("Vase", 1).photos;
    await store.deletePhotos("Vase", 1, [first], () => {});
    await expectWhole(bench);
    await scans.deleteProject("Vase");
    expect(await readdir(directory)).toEqual([]);
  });

  test("on a read-only disk everything can be looked at, and what is refused changes nothing", async () => {
    const bench = await createSmallBench();
    const { start, ended, store, scans, disk, directory } = bench;
    await ended((await start()).id);
    const before = store.get("Vase");
    disk.setWritable(false);
    const readOnly = { code: "storage", message: expect.stringMatching(/EROFS/) as string };
    await expect(start()).rejects.toMatchObject(readOnly);
    await expect(store.create("Bowl", null)).rejects.toMatchObject(readOnly);
    await expect(scans.deleteScan("Vase", 1)).rejects.toMatchObject(readOnly);
    await expect(scans.deleteProject("Vase")).rejects.toMatchObject(readOnly);
    await expect(
      store.deletePhotos("Vase", 1, before.scans["scan01"]?.photos ?? [], () => {}),
    ).rejects.toMatchObject(readOnly);
    expect(store.get("Vase").scans["scan01"]?.photos).toEqual(before.scans["scan01"]?.photos);
    const next = await createBench({ directory });
    expect(next.store.get("Vase").scans["scan01"]).toMatchObject({ status: "completed" });
    disk.setWritable(true);
  });
});
