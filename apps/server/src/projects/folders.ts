import type { Dirent, Stats } from "node:fs";
import { mkdir, readdir, realpath, rename, rm, stat } from "node:fs/promises";
import { join, sep } from "node:path";
import { ScanError } from "@openscan/protocol";
import { temporaryPath } from "@openscan/runtime/atomic-file";

/**
 * Makes a folder with its content, as a whole or not at all. Where its parent is missing, somebody has removed that.
 *
 * @returns false when there is something at `path` already, which stays as it is
 * @throws ScanError `storage`
 */
export async function createFolder(path: string, fill: (folder: string) => Promise<void>): Promise<boolean> {
  const temporary = temporaryPath(path);
  try {
    await mkdir(temporary);
    await fill(temporary);
    await rename(temporary, path);
    return true;
  } catch (cause) {
    // What cannot be removed now is swept at the next start; the cause is what matters.
    await Promise.allSettled([rm(temporary, { recursive: true, force: true })]);
    if (hasCode(cause, "ENOTEMPTY", "EEXIST", "ENOTDIR")) return false;
    if (cause instanceof ScanError) throw cause;
    throw new ScanError("storage", `${path} could not be made: ${reason(cause)}`, { cause });
  }
}

/**
 * Removes a folder. It is gone once it has lost its name: what a failure leaves after that is swept at the next start.
 *
 * @throws ScanError `storage`
 * @param undo called when nothing has changed after all
 */
export async function removeFolder(path: string, undo: () => void): Promise<void> {
  const aside = temporaryPath(path);
  try {
    await unlessMissing(rename(path, aside));
  } catch (cause) {
    undo();
    throw new ScanError("storage", `${path} could not be removed: ${reason(cause)}`, { cause });
  }
  try {
    await rm(aside, { recursive: true, force: true });
  } catch (cause) {
    throw new ScanError("storage", `not all files of ${path} could be removed: ${reason(cause)}`, { cause });
  }
}

/** Entries of a folder by name; none when it does not exist. */
export async function entries(folder: string): Promise<Dirent[]> {
  const found = await unlessMissing(readdir(folder, { withFileTypes: true }));
  return (found ?? []).toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** Size of a file in bytes; 0 when it does not exist. */
export async function fileSize(path: string): Promise<number> {
  return (await unlessMissing(stat(path)))?.size ?? 0;
}

/** Each file in and below a folder, by its relative path with `/`. Links are not followed. */
export async function filesBelow(folder: string, prefix = ""): Promise<Map<string, Stats>> {
  const files = new Map<string, Stats>();
  const add = async (entry: Dirent) => {
    const path = join(folder, entry.name);
    const stats = entry.isFile() ? await unlessMissing(stat(path)) : undefined;
    if (stats) files.set(prefix + entry.name, stats);
    if (!entry.isDirectory()) return;
    for (const [file, stats] of await filesBelow(path, `${prefix}${entry.name}/`)) files.set(file, stats);
  };
  await Promise.all((await entries(folder)).map(add));
  return files;
}

/** Bytes of each file in and below a folder, by its relative path with `/`. Links are not followed. */
export async function fileSizes(folder: string): Promise<Map<string, number>> {
  return new Map([...(await filesBelow(folder))].map(([file, { size }]) => [file, size]));
}

/**
 * The file that a client's relative path names, `/` and `\` alike, wherever links lead.
 *
 * @throws ScanError `bad_request` for a path that is not plainly relative, `not_found` when there is no such
 * file inside the folder
 */
export async function fileInside(folder: string, relative: string): Promise<string> {
  const parts = relativeParts(relative);
  const missing = () => new ScanError("not_found", `there is no file ${JSON.stringify(relative)}`);
  const [root, file] = await Promise.all([
    unlessMissing(realpath(folder)),
    unlessMissing(realpath(join(folder, ...parts))),
  ]);
  if (root === undefined || !file?.startsWith(root + sep)) throw missing();
  if (!(await stat(file)).isFile()) throw missing();
  return file;
}

/** @throws ScanError `bad_request` for an absolute or empty path, or one with empty, `.` or `..` parts */
export function relativeParts(path: string): string[] {
  const parts = path.split(/[/\\]/);
  const wrong = parts.some((part) => ["", ".", ".."].includes(part)) || /^[a-z]:|\0/i.test(path);
  if (wrong) throw new ScanError("bad_request", `${JSON.stringify(path)} is not a relative path of a file`);
  return parts;
}

/** What a file system call answers, or `undefined` when there is nothing of that name. */
export async function unlessMissing<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (hasCode(error, "ENOENT", "ENOTDIR", "ENAMETOOLONG", "ELOOP")) return undefined;
    throw error;
  }
}

export function hasCode(error: unknown, ...codes: string[]): boolean {
  return error instanceof Error && "code" in error && codes.includes(String(error.code));
}

export function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
