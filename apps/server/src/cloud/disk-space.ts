import { statfs } from "node:fs/promises";
import { ScanError } from "@openscan/protocol";

/** What the rest of the scanner needs to go on. */
const reserveBytes = 100 * 1024 * 1024;

/** How many bytes the disk of a folder has left; replaced by tests. */
export type FreeBytes = (folder: string) => Promise<number>;

export const freeBytes: FreeBytes = async (folder) => {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
};

/**
 * Makes sure that so many bytes can be written and something is left.
 *
 * @throws ScanError `storage` telling how much is missing
 */
export async function requireSpace(
  folder: string,
  bytes: number,
  what: string,
  free: FreeBytes = freeBytes,
): Promise<void> {
  const left = await free(folder);
  if (left >= bytes + reserveBytes) return;
  throw new ScanError(
    "storage",
    `${what} needs ${megabytes(bytes + reserveBytes)} in ${folder}, where ${megabytes(left)} are free`,
  );
}

function megabytes(bytes: number): string {
  return `${Math.ceil(bytes / 1e6)} MB`;
}
