import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { ScanError } from "@openscan/protocol";
import type { Clock, Logger } from "@openscan/runtime";
import { writeFileAtomic } from "@openscan/runtime/atomic-file";
import { TaskInterrupted } from "@openscan/tasks";
import { z } from "zod";
import { reason, unlessMissing } from "../projects/folders.js";
import { CloudError } from "./cloud-error.js";
import { type FreeBytes, freeBytes, requireSpace } from "./disk-space.js";

const maxAgeMs = 7 * 24 * 3600 * 1000;
const Record = z.looseObject({ project: z.string() });
/** Whatever a transfer has to remember; whose it is decides how long. */
type TransferRecord = { readonly project: string; readonly [member: string]: unknown };

type Direction = "upload" | "download";

export interface TransferFilesOptions {
  /** `tmp/cloud` in the runtime directory; nothing else is kept there. */
  readonly directory: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly free?: FreeBytes;
}

/**
 * The archives that are on their way from or to the cloud. What a transfer that was stopped leaves here is what its
 * successor goes on with; whatever nobody will go on with is swept away.
 */
export class TransferFiles {
  readonly #directory: string;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #free: FreeBytes;
  readonly #open = new Set<string>();

  constructor({ directory, clock, log, free = freeBytes }: TransferFilesOptions) {
    this.#directory = directory;
    this.#clock = clock;
    this.#log = log;
    this.#free = free;
  }

  /**
   * Removes what no transfer will go on with: files of unknown origin, old ones, those of projects that are gone.
   *
   * @param projects by their names
   */
  async sweep(projects: Readonly<Record<string, unknown>>): Promise<void> {
    await this.#sweep(async (transfer) => {
      const record = await transfer.load(Record);
      if (!record || !Object.hasOwn(projects, record.project)) return false;
      const found = await unlessMissing(stat(transfer.recordFile));
      return found !== undefined && this.#clock.now() - found.mtimeMs < maxAgeMs;
    });
  }

  /** Removes what an upload of a project has left, unless it is at work. */
  async forgetUpload(project: string): Promise<void> {
    const name = transferName("upload", project);
    if (!this.#open.has(name)) await new Transfer(this.#directory, name).discard();
  }

  /**
   * Makes sure that so many bytes can be written, if need be at the cost of what stopped transfers have left.
   *
   * @throws ScanError `storage` telling how much is missing
   */
  async requireSpace(bytes: number, what: string): Promise<void> {
    try {
      await requireSpace(this.#directory, bytes, what, this.#free);
    } catch {
      await this.#sweep(async () => false);
      await requireSpace(this.#directory, bytes, what, this.#free);
    }
  }

  /**
   * Runs one transfer of a project. What it leaves when it was interrupted, or failed for a reason that may pass, is
   * kept for the next.
   *
   * @throws ScanError `conflict` while another one is at work, and whatever the job throws
   */
  async run<T>(
    direction: Direction,
    project: string,
    signal: AbortSignal,
    job: (transfer: Transfer) => Promise<T>,
  ): Promise<T> {
    const transfer = await this.#begin(direction, project);
    try {
      return await job(transfer);
    } catch (error) {
      if (!mayGoOn(error, signal)) await transfer.discard();
      throw error;
    } finally {
      this.#open.delete(transfer.name);
    }
  }

  async #begin(direction: Direction, project: string): Promise<Transfer> {
    const name = transferName(direction, project);
    if (this.#open.has(name))
      throw new ScanError(
        "conflict",
        `another ${direction} of project ${JSON.stringify(project)} is at work`,
      );
    try {
      await mkdir(this.#directory, { recursive: true, mode: 0o700 });
    } catch (cause) {
      throw new ScanError("storage", `${this.#directory} could not be made: ${reason(cause)}`, { cause });
    }
    this.#open.add(name);
    return new Transfer(this.#directory, name);
  }

  async #sweep(keep: (transfer: Transfer) => Promise<boolean>): Promise<void> {
    const files = (await unlessMissing(readdir(this.#directory))) ?? [];
    for (const name of new Set(files.map(transferOf))) {
      if (this.#open.has(name)) continue;
      if (await keep(new Transfer(this.#directory, name))) continue;
      for (const file of files.filter((file) => transferOf(file) === name)) {
        await rm(join(this.#directory, file), { recursive: true, force: true }).catch((err: unknown) =>
          this.#log.warn({ err, file }, "what a transfer left could not be removed"),
        );
      }
    }
  }
}

/** An archive on its way, and what is known of the way that it has made. */
export class Transfer {
  readonly name: string;
  readonly #directory: string;

  constructor(directory: string, name: string) {
    this.#directory = directory;
    this.name = name;
  }

  get archiveFile(): string {
    return join(this.#directory, `${this.name}.zip`);
  }

  get recordFile(): string {
    return join(this.#directory, `${this.name}.json`);
  }

  /** The record; `undefined` when there is none that fits. */
  async load<T>(schema: z.ZodType<T>): Promise<T | undefined> {
    const text = await unlessMissing(readFile(this.recordFile, "utf8"));
    try {
      return text === undefined ? undefined : schema.safeParse(JSON.parse(text)).data;
    } catch {
      return undefined;
    }
  }

  /** Only its owner may read it: upload links are as good as passwords. */
  async save(record: TransferRecord): Promise<void> {
    try {
      await writeFileAtomic(this.recordFile, JSON.stringify(record, null, 2), 0o600);
    } catch (cause) {
      throw new ScanError("storage", `${this.recordFile} could not be written: ${reason(cause)}`, { cause });
    }
  }

  /** Removes the archive, and with it the record unless that is to be kept. */
  async discard({ keepRecord = false } = {}): Promise<void> {
    await rm(this.archiveFile, { force: true });
    if (!keepRecord) await rm(this.recordFile, { force: true });
  }
}

/** Any project name makes a name that every file system allows. */
function transferName(direction: Direction, project: string): string {
  return `${direction}-${createHash("sha256").update(project).digest("hex").slice(0, 16)}`;
}

function transferOf(file: string): string {
  return file.startsWith(".") ? file : file.replace(/\..*$/, "");
}

/** Whether another attempt can make use of what a failed one has left. */
function mayGoOn(error: unknown, signal: AbortSignal): boolean {
  if (signal.aborted) return signal.reason instanceof TaskInterrupted;
  return error instanceof CloudError && error.isTransient;
}
