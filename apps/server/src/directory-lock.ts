import { createHash } from "node:crypto";
import { link, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ScanError } from "@openscan/protocol";
import { type Clock, type Logger, timestamp } from "@openscan/runtime";
import { temporaryPath, writeFileAtomic } from "@openscan/runtime/atomic-file";
import { z } from "zod";
import { hasCode, unlessMissing } from "./projects/folders.js";

const lockFile = ".openscan_server.lock";
/** What another server takes that is just replacing a stale lock. */
const RETRY_MS = 20;

/** A process that nothing else can be taken for: its id is given again, but not with the same start in the same boot. */
const Owner = z.object({
  pid: z.int(),
  process_started: z.string().nullable(),
  boot_id: z.string().nullable(),
  taken_at: z.string(),
});
type Owner = z.output<typeof Owner>;

export interface DirectoryLockOptions {
  readonly directory: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** Default: this process. */
  readonly pid?: number;
}

/**
 * Keeps a second server away from a directory that this one writes to. A lock whose process has ended, however, is none:
 * after a kill or a power failure nobody has to remove anything.
 */
export class DirectoryLock {
  readonly #path: string;
  readonly #text: string;

  private constructor(path: string, text: string) {
    this.#path = path;
    this.#text = text;
  }

  /**
   * A directory in which nothing can be written is not locked: there is nothing to be spoilt, and on a full disk the
   * server is needed to delete something.
   *
   * @throws ScanError `conflict` naming directory and process when another server has it
   */
  static async take({
    directory,
    clock,
    log,
    pid = process.pid,
  }: DirectoryLockOptions): Promise<DirectoryLock> {
    const path = join(directory, lockFile);
    const boot_id = await bootId();
    const owner = { pid, process_started: await startOf(pid), boot_id, taken_at: timestamp(clock) };
    const text = `${JSON.stringify(owner, null, 2)}\n`;
    try {
      while (!(await createWhole(path, text))) {
        const found = await unlessMissing(readFile(path, "utf8"));
        if (found === undefined) continue;
        const other = parse(found);
        if (other && other.pid !== pid && (await isAlive(other, boot_id))) {
          const message = `${directory} is in use by another OpenScan server, process ${other.pid}: stop it, or choose other directories`;
          throw new ScanError("conflict", message);
        }
        if (await replaceStale(path, found, text, boot_id)) {
          log.info({ path, pid: other?.pid }, "the server that had this directory has ended");
          break;
        }
        await clock.sleep(RETRY_MS);
      }
    } catch (err) {
      if (err instanceof ScanError) throw err;
      log.warn({ err, path }, "the directory could not be locked");
    }
    return new DirectoryLock(path, text);
  }

  async release(): Promise<void> {
    const found = await unlessMissing(readFile(this.#path, "utf8"));
    if (found === this.#text) await rm(this.#path, { force: true });
  }
}

/** @returns false when there is such a file */
async function createWhole(path: string, text: string): Promise<boolean> {
  const temporary = temporaryPath(path);
  try {
    await writeFile(temporary, text, { flag: "wx" });
    try {
      await link(temporary, path);
    } catch (error) {
      // Some memory cards have file systems without links.
      if (!hasCode(error, "EPERM", "ENOSYS", "ENOTSUP", "EOPNOTSUPP")) throw error;
      await writeFile(path, text, { flag: "wx" });
    }
    return true;
  } catch (error) {
    if (hasCode(error, "EEXIST")) return false;
    throw error;
  } finally {
    await rm(temporary, { force: true });
  }
}

/**
 * Puts `text` in the place of a stale lock. Of several servers that start at once only one may: each needs a file that is
 * named after the very lock which it is to replace.
 *
 * @returns false when it was not our turn, or the lock is another one by now
 */
async function replaceStale(
  path: string,
  stale: string,
  text: string,
  boot: string | null,
): Promise<boolean> {
  const claim = `${path}.${createHash("sha256").update(stale).digest("hex").slice(0, 16)}`;
  if (!(await createWhole(claim, text))) {
    const claimant = parse((await unlessMissing(readFile(claim, "utf8"))) ?? "");
    if (!claimant || !(await isAlive(claimant, boot))) await rm(claim, { force: true });
    return false;
  }
  try {
    if ((await unlessMissing(readFile(path, "utf8"))) !== stale) return false;
    await writeFileAtomic(path, text);
    return true;
  } finally {
    await rm(claim, { force: true });
  }
}

function parse(text: string): Owner | undefined {
  try {
    return Owner.parse(JSON.parse(text));
  } catch {
    // Written by a power failure: whoever had the directory does not run any more.
    return undefined;
  }
}

async function isAlive(owner: Owner, boot: string | null): Promise<boolean> {
  if (owner.boot_id !== boot) return false;
  try {
    process.kill(owner.pid, 0);
  } catch (error) {
    if (!hasCode(error, "EPERM")) return false;
  }
  return owner.process_started === (await startOf(owner.pid));
}

/** When a process was started, in ticks since the boot; `null` where the system does not tell. */
async function startOf(pid: number): Promise<string | null> {
  const stat = await tell(`/proc/${pid}/stat`);
  // The name in brackets may hold spaces and brackets itself.
  return stat?.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? null;
}

async function bootId(): Promise<string | null> {
  return (await tell("/proc/sys/kernel/random/boot_id"))?.trim() ?? null;
}

async function tell(path: string): Promise<string | null> {
  return readFile(path, "utf8").catch(() => null);
}
