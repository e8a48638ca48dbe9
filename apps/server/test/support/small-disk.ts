import { execFileSync } from "node:child_process";
import { mkdtempSync, rmdirSync } from "node:fs";
import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

/** A file system of its own that is really small, gone with the test. */
export interface SmallDisk {
  readonly folder: string;
  /** Leaves no more than so many bytes free. */
  fill(leaveBytes?: number): Promise<void>;
  /** Makes room again. */
  free(): Promise<void>;
  /** As a worn-out card becomes read-only. */
  setWritable(writable: boolean): void;
}

/** For titles of tests: why they are skipped; empty when they run. */
export const smallDiskMissing = canMount() ? "" : " (skipped: a small disk cannot be mounted here)";

export async function mountSmallDisk(bytes: number): Promise<SmallDisk> {
  const folder = await mkdtemp(join(tmpdir(), "openscan-small-disk-"));
  mount(folder, `size=${bytes}`);
  onTestFinished(() => unmount(folder));
  const filler = join(folder, "filler");
  return {
    folder,
    async fill(leaveBytes = 0) {
      const file = await open(filler, "w");
      try {
        for (const chunk of [65_536, 4096]) await writeUntilFull(file, Buffer.alloc(chunk));
        const { size } = await file.stat();
        await file.truncate(Math.max(0, size - leaveBytes));
      } finally {
        await file.close();
      }
    },
    free: () => rm(filler, { force: true }),
    setWritable: (writable) => mount(folder, `remount,${writable ? "rw" : "ro"}`),
  };
}

async function writeUntilFull(file: Awaited<ReturnType<typeof open>>, chunk: Buffer): Promise<void> {
  try {
    for (;;) await file.writeFile(chunk);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
  }
}

function canMount(): boolean {
  const folder = mkdtempSync(join(tmpdir(), "openscan-mount-"));
  try {
    mount(folder, "size=4096");
    unmount(folder);
    return true;
  } catch {
    rmdirSync(folder);
    return false;
  }
}

function mount(folder: string, options: string): void {
  execFileSync("mount", ["-t", "tmpfs", "-o", options, "tmpfs", folder], { stdio: "ignore" });
}

function unmount(folder: string): void {
  // Lazily: what is still open must not keep the test from ending.
  execFileSync("umount", ["--lazy", folder], { stdio: "ignore" });
  rmdirSync(folder);
}
