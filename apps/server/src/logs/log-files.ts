import { type FileHandle, open, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { ScanError } from "@openscan/protocol";
import { unlessMissing } from "../projects/folders.js";

/** The names that existing tools look for. */
export const textLog = "openscan_firmware.log";
export const detailedLog = "openscan_detailed_log.json";

const BLOCK_BYTES = 64 * 1024;
const NEWLINE = 0x0a;

/** @throws ScanError `not_found` */
export async function openLogFile(path: string): Promise<FileHandle> {
  const file = await unlessMissing(open(path, "r"));
  if (file) return file;
  throw new ScanError("not_found", "there is no log file yet");
}

/**
 * All log files of a folder, those included that were rotated away.
 *
 * @throws ScanError `not_found` when there is none
 */
export async function logFileNames(directory: string): Promise<string[]> {
  const names = ((await unlessMissing(readdir(directory))) ?? []).filter(
    (name) => name.startsWith(textLog) || name.startsWith(detailedLog),
  );
  if (names.length === 0) throw new ScanError("not_found", "there is no log file yet");
  return names.sort();
}

/** Where the last `lines` lines of the first `size` bytes begin; reads no more of the file than these. */
export async function startOfTail(file: FileHandle, size: number, lines: number): Promise<number> {
  if (lines <= 0) return size;
  const block = Buffer.allocUnsafe(BLOCK_BYTES);
  let found = 0;
  // The newline at the very end ends the last line rather than begins another.
  for (let end = size - 1; end > 0; ) {
    const start = Math.max(0, end - BLOCK_BYTES);
    const { bytesRead } = await file.read(block, 0, end - start, start);
    for (let at = bytesRead; at > 0; ) {
      at = block.subarray(0, at).lastIndexOf(NEWLINE);
      if (at !== -1 && ++found === lines) return start + at + 1;
    }
    end = start;
  }
  return 0;
}

/** The bytes of a file between two places, block by block; fewer when it has become shorter. */
export async function* bytesBetween(file: FileHandle, from: number, to: number): AsyncGenerator<Buffer> {
  for (let at = from; at < to; ) {
    const block = Buffer.allocUnsafe(Math.min(BLOCK_BYTES, to - at));
    const { bytesRead } = await file.read(block, 0, block.length, at);
    if (bytesRead === 0) return;
    yield block.subarray(0, bytesRead);
    at += bytesRead;
  }
}

/** A file that grows, and that is now and then renamed and begun anew. */
export class GrowingFile {
  readonly #path: string;
  #file: FileHandle;
  #position: number;

  /** @param position from where on it is news; the file is closed with this */
  constructor(path: string, file: FileHandle, position: number) {
    this.#path = path;
    this.#file = file;
    this.#position = position;
  }

  /** What has been added since the last call. */
  async *news(): AsyncGenerator<Buffer> {
    // What its successor has is asked first: then nothing more is added to it.
    const successor = await this.#successor();
    yield* this.#rest();
    if (!successor) return;
    await this.#file.close();
    this.#file = successor;
    this.#position = 0;
    yield* this.#rest();
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  async *#rest(): AsyncGenerator<Buffer> {
    const { size } = await this.#file.stat();
    // Somebody has emptied it.
    if (size < this.#position) this.#position = 0;
    for await (const bytes of bytesBetween(this.#file, this.#position, size)) {
      this.#position += bytes.length;
      yield bytes;
    }
  }

  async #successor(): Promise<FileHandle | undefined> {
    const [named, own] = await Promise.all([unlessMissing(stat(this.#path)), this.#file.stat()]);
    if (!named || (named.ino === own.ino && named.dev === own.dev)) return undefined;
    return unlessMissing(open(this.#path, "r"));
  }
}

export function logPath(directory: string, isDetailed: boolean): string {
  return join(directory, isDetailed ? detailedLog : textLog);
}
