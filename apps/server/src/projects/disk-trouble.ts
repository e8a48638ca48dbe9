import { statfs } from "node:fs/promises";
import { hasCode, reason } from "./folders.js";

/**
 * What somebody has to do before files can be written to a folder again, for errors that go away when it is done;
 * `undefined` for all others.
 */
export async function diskTrouble(error: unknown, folder: string): Promise<string | undefined> {
  const cause = error instanceof Error ? error.cause : undefined;
  if (hasCode(cause, "ENOSPC", "EDQUOT")) {
    return `The disk of ${folder} is full${await freeSpace(folder)}. Delete something there that is not needed.`;
  }
  if (hasCode(cause, "EROFS", "EACCES", "EPERM")) {
    return `${folder} cannot be written to (${reason(cause)}). Make it writable.`;
  }
  return undefined;
}

async function freeSpace(folder: string): Promise<string> {
  try {
    const { bavail, blocks, bsize } = await statfs(folder);
    return `: ${size(bavail * bsize)} of ${size(blocks * bsize)} are free`;
  } catch {
    // The sentence is as true without the figures.
    return "";
  }
}

function size(bytes: number): string {
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(1)} GB`;
}
