import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { CameraSettings, type Scan, ScanSettings, type TaskStatus } from "@openscan/protocol";
import type { Clock, Logger } from "@openscan/runtime";
import { removeUnfinishedWrites } from "@openscan/runtime/atomic-file";
import { photoStacks } from "../tasks/photo-stacks.js";
import { decodeScan } from "./encoding.js";
import { fileSizes, reason, unlessMissing } from "./folders.js";
import {
  capturedSteps,
  leadingCaptured,
  metadataFolder,
  metadataName,
  photoSlot,
  type ScanAddress,
  scanFile,
  stackedFolder,
} from "./layout.js";
import { readPath, ScanFolder } from "./scan-folder.js";
import { readStackedSet } from "./stacked-set.js";

const unfinished: ReadonlySet<TaskStatus> = new Set<TaskStatus>(["pending", "running", "paused"]);

/**
 * Reads a scan and makes its state agree with its files, which a killed process may have left a step ahead.
 * What was under way is interrupted now. `undefined` when the folder holds no scan.
 */
export async function loadScan(
  path: string,
  address: ScanAddress,
  { clock, log }: { readonly clock: Clock; readonly log: Logger },
): Promise<ScanFolder | undefined> {
  for (const folder of [path, join(path, metadataFolder), join(path, stackedFolder)]) {
    await unlessMissing(removeUnfinishedWrites(folder, log));
  }
  const file = join(path, scanFile);
  const sizes = await fileSizes(path);
  if (!sizes.has(scanFile)) return undefined;

  const stored = await readScan(file);
  const order = (await readPath(path, log))?.points.map((point) => point.original_step) ?? [];
  const stacked = [...sizes.keys()].filter((name) => /^stacked\/[^/]+\.jpe?g$/i.test(name)).toSorted();
  const totalBytes = sum(sizes.values());
  const listed = "scan" in stored ? stored.scan.photos : [];
  const present = {
    project_name: address.project,
    index: address.index,
    photos: await presentPhotos(path, { listed, stacked, sizes, order }),
    total_size_bytes: totalBytes,
    stacked_size_bytes: sum(stacked.map((photo) => sizes.get(photo) ?? 0)),
  };
  const otherBytes = totalBytes - (sizes.get(scanFile) ?? 0);
  const options = { path, otherBytes, order, clock, log };
  if ("trouble" in stored) {
    log.error({ file, trouble: stored.trouble }, "a scan is unreadable and is kept as it is");
    const modified = (await stat(file)).mtime.toISOString();
    const scan = {
      ...blankScan(modified),
      ...present,
      system_message: `scan.json is unreadable: ${stored.trouble}`,
    };
    return new ScanFolder({ ...options, scan, trouble: stored.trouble });
  }

  const scan = await settled({ ...stored.scan, ...present }, path, order);
  const posesStale = unfinished.has(stored.scan.status) && scan.photos.length > 0;
  const loaded = new ScanFolder({ ...options, scan, posesStale });
  if (isDeepStrictEqual(scan, stored.json)) return loaded;
  loaded.change({});
  await loaded
    .save()
    .catch((err: unknown) => log.error({ err, file }, "a scan could not be brought up to date"));
  return loaded;
}

type Stored = { readonly scan: Scan; readonly json: unknown } | { readonly trouble: string };

async function readScan(file: string): Promise<Stored> {
  try {
    const json: unknown = JSON.parse(await readFile(file, "utf8"));
    return { json, scan: decodeScan(json) };
  } catch (error) {
    return { trouble: reason(error) };
  }
}

/** Nothing runs any more: what did is interrupted, or finished when all its photos are there. */
async function settled(scan: Scan, path: string, order: readonly number[]): Promise<Scan> {
  const wasUnfinished = unfinished.has(scan.status);
  const leading = leadingCaptured(order, capturedSteps(scan.photos, scan.settings.focus_stacks));
  const current_step = scan.status === "completed" || order.length === 0 ? scan.current_step : leading;
  const isComplete = order.length > 0 && current_step === order.length;
  return {
    ...scan,
    current_step,
    status: wasUnfinished ? (isComplete ? "completed" : "interrupted") : scan.status,
    stacking_task_status: await settledStacking(scan, path),
  };
}

async function settledStacking(scan: Scan, path: string): Promise<Scan["stacking_task_status"]> {
  const stacking = scan.stacking_task_status;
  if (stacking?.status == null || !unfinished.has(stacking.status)) return stacking;
  const { whole } = photoStacks(scan);
  const set = await readStackedSet(path, scan.index, whole);
  if (set && whole.length > 0 && set.missing.length === 0) return { ...stacking, status: "completed" };
  return { task_id: null, status: "interrupted" };
}

interface Files {
  readonly listed: readonly string[];
  readonly stacked: readonly string[];
  readonly sizes: ReadonlyMap<string, number>;
  readonly order: readonly number[];
}

/** The listed photos that are there, then the whole ones that are not listed, in execution order. */
async function presentPhotos(path: string, { listed, stacked, sizes, order }: Files): Promise<string[]> {
  const isThere = (file: string) => (sizes.get(file) ?? 0) > 0;
  const kept = new Set(listed.filter(isThere));
  const found: string[] = [];
  for (const file of sizes.keys()) {
    if (photoSlot(file) && isThere(file) && !kept.has(file) && (await hasMetadata(path, file)))
      found.push(file);
  }
  const place = (file: string) => order.indexOf(photoSlot(file)?.step ?? -1);
  // Equal places are focus stacks, which the names order.
  found.sort((a, b) => place(a) - place(b) || (a < b ? -1 : 1));
  return [...kept, ...found, ...stacked.filter((photo) => !kept.has(photo))];
}

/** A photo without is not finished: its metadata is written first. */
async function hasMetadata(path: string, photo: string): Promise<boolean> {
  try {
    JSON.parse(await readFile(join(path, metadataName(photo)), "utf8"));
    return true;
  } catch {
    return false;
  }
}

function sum(numbers: Iterable<number>): number {
  let total = 0;
  for (const number of numbers) total += number;
  return total;
}

function blankScan(created: string): Omit<Scan, "project_name" | "index"> {
  return {
    created,
    status: "error",
    settings: ScanSettings.parse({}),
    camera_name: null,
    camera_settings: CameraSettings.parse({}),
    current_step: 0,
    system_message: null,
    last_updated: created,
    description: null,
    duration: 0,
    total_size_bytes: 0,
    stacked_size_bytes: 0,
    photos: [],
    task_id: null,
    stacking_task_status: null,
  };
}
