import { randomBytes } from "node:crypto";
import { open, readdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { Logger } from "./logger.js";

const PREFIX = ".tmp_";

/**
 * Replaces a file as a whole: whatever moment the process is killed or the power fails, a reader finds the old
 * content or the new one, never a part. The data and the new name are on the disk when the promise resolves.
 *
 * @param mode permissions of the new file, less the process's mask; 0o600 for what nobody else may read
 * @throws the error of the file system, e.g. `ENOSPC`; the old file is then untouched
 */
export async function writeFileAtomic(
  path: string,
  content: string | Uint8Array,
  mode = 0o666,
): Promise<void> {
  const temporary = temporaryPath(path);
  try {
    const file = await open(temporary, "wx", mode);
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (cause) {
    // What cannot be removed now is swept at the next start; the cause is what matters.
    await Promise.allSettled([rm(temporary, { force: true })]);
    throw cause;
  }
  await syncDirectory(dirname(path));
}

/** A free name beside `path` for what is being made or thrown away; `removeUnfinishedWrites` knows it. */
export function temporaryPath(path: string): string {
  // Only the end of a long name: the whole one and the prefix could exceed what a file system allows.
  return join(dirname(path), `${PREFIX}${randomBytes(6).toString("hex")}_${basename(path).slice(-40)}`);
}

/** Whether a file or folder of this name is being made or thrown away. */
export function isUnfinishedWrite(name: string): boolean {
  return name.startsWith(PREFIX);
}

/**
 * Removes what a killed process left of its unfinished writes in this directory, folders included. One that
 * cannot be removed, e.g. from a read-only disk, is logged and stays: it does no harm.
 */
export async function removeUnfinishedWrites(directory: string, log: Logger): Promise<void> {
  for (const name of await readdir(directory)) {
    if (!isUnfinishedWrite(name)) continue;
    const path = join(directory, name);
    await rm(path, { recursive: true, force: true }).catch((err: unknown) =>
      log.warn({ err, path }, "what an interrupted write left could not be removed"),
    );
  }
}

/** A rename survives a power failure only once its directory has been written. */
async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
