import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { CameraSettings, type Scan, ScanSettings, type TaskStatus } from "@openscan/protocol";
import type { Clock, Logger } from "@openscan/runtime";
import { removeUnfinishedWrites } from "@openscan/runtime/atomic-file";
import { decodeScan } from "./encoding.js";
import { entries, fileSize, folderSize, reason, unlessMissing } from "./folders.js";
import {
  capturedSteps,
  leadingCaptured,
  metadataFolder,
  metadataName,
  photoSlot,
  scanFile,
  stackedFolder,
} from "./layout.js";
import { readPath, ScanFolder } from "./scan-folder.js";

export interface ScanAddress {
  readonly project: string;
  readonly index: number;
}

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
    await unlessMissing(removeUnfinishedWrites(folder));
  }
  const file = join(path, scanFile);
  const text = await unlessMissing(readFile(file, "utf8"));
  if (text === undefined) return undefined;

  const stored = decoded(text);
  const stacked = await stackedPhotos(path);
  const order = (await readPath(path, log))?.points.map((point) => point.original_step) ?? [];
  const totalBytes = await folderSize(path);
  const present = {
    project_name: address.project,
    index: address.index,
    photos: await presentPhotos(path, "scan" in stored ? stored.scan.photos : [], stacked, order),
    total_size_bytes: totalBytes,
    stacked_size_bytes: await sizeOf(path, stacked),
  };
  const options = { path, otherBytes: totalBytes - Buffer.byteLength(text), order, clock, log };
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

  const scan = settled({ ...stored.scan, ...present }, order);
  const loaded = new ScanFolder({ ...options, scan });
  if (isDeepStrictEqual(scan, JSON.parse(text))) return loaded;
  loaded.change({});
  await loaded
    .save()
    .catch((err: unknown) => log.error({ err, file }, "a scan could not be brought up to date"));
  return loaded;
}

function decoded(text: string): { readonly scan: Scan } | { readonly trouble: string } {
  try {
    return { scan: decodeScan(text) };
  } catch (error) {
    return { trouble: reason(error) };
  }
}

async function stackedPhotos(path: string): Promise<string[]> {
  const names = (await entries(join(path, stackedFolder))).map(({ name }) => name);
  return names.filter((name) => /\.jpe?g$/i.test(name)).map((name) => `${stackedFolder}/${name}`);
}

/** Nothing runs any more: what did is interrupted, or finished when all its photos are there. */
function settled(scan: Scan, order: readonly number[]): Scan {
  const wasUnfinished = unfinished.has(scan.status);
  const stacking = scan.stacking_task_status;
  const stackingStopped = stacking?.status != null && unfinished.has(stacking.status);
  const leading = leadingCaptured(order, capturedSteps(scan.photos, scan.settings.focus_stacks));
  const current_step = scan.status === "completed" || order.length === 0 ? scan.current_step : leading;
  const isComplete = order.length > 0 && current_step === order.length;
  return {
    ...scan,
    current_step,
    status: wasUnfinished ? (isComplete ? "completed" : "interrupted") : scan.status,
    stacking_task_status: stackingStopped ? { task_id: null, status: "interrupted" } : stacking,
  };
}

/** The listed photos that are there, then the whole ones that are not listed, in execution order. */
async function presentPhotos(
  path: string,
  listed: readonly string[],
  stacked: readonly string[],
  order: readonly number[],
): Promise<string[]> {
  const files = new Set([...(await entries(path)).map(({ name }) => name), ...stacked]);
  const kept = new Set<string>();
  for (const photo of listed)
    if (files.has(photo) && (await fileSize(join(path, photo))) > 0) kept.add(photo);
  const found: string[] = [];
  for (const file of files) if (!kept.has(file) && (await isWholePhoto(path, file))) found.push(file);
  const place = (file: string) => order.indexOf(photoSlot(file)?.step ?? -1);
  // Equal places are focus stacks, which the names order.
  found.sort((a, b) => place(a) - place(b) || (a < b ? -1 : 1));
  return [...kept, ...found, ...stacked.filter((photo) => !kept.has(photo))];
}

async function isWholePhoto(path: string, file: string): Promise<boolean> {
  if (!photoSlot(file) || (await fileSize(join(path, file))) === 0) return false;
  try {
    JSON.parse(await readFile(join(path, metadataName(file)), "utf8"));
    return true;
  } catch {
    return false;
  }
}

async function sizeOf(path: string, files: readonly string[]): Promise<number> {
  let total = 0;
  for (const file of files) total += await fileSize(join(path, file));
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
