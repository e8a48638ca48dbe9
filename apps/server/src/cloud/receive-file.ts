import { type FileHandle, open, rm } from "node:fs/promises";
import { ScanError } from "@openscan/protocol";
import type { Clock } from "@openscan/runtime";
import { z } from "zod";
import { fileSize, hasCode, reason } from "../projects/folders.js";
import { CloudError, connectionProblem } from "./cloud-error.js";
import { refusal } from "./link-refused.js";
import { TimeLimit } from "./time-limit.js";

const idleMs = 60_000;
const spaceCheckBytes = 64 * 1024 * 1024;

/** What is known of a file that has come in part, to tell whether the rest belongs to it. */
export const ReceivedFile = z.object({
  /** An ETag or a date of change; `null` when the server tells none. */
  validator: z.string().nullable(),
  /** Bytes of the whole file; `null` when the server tells none. */
  total: z.int().nullable(),
});
export type ReceivedFile = z.output<typeof ReceivedFile>;

export interface ReceiveOptions {
  readonly link: string;
  readonly file: string;
  /** Of what `file` holds by now; without it the file is begun anew. */
  readonly known: ReceivedFile | undefined;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  /** Waits while the receiving is to pause. */
  readonly pass: () => Promise<void>;
  /** Called before anything is written of a file that is begun anew. */
  readonly onBegin: (known: ReceivedFile) => Promise<void>;
  readonly onBytes: (bytes: number, total: number | null) => void;
  /** Throws when so many bytes cannot be written. */
  readonly requireSpace: (bytes: number) => Promise<void>;
}

/**
 * Downloads a file, from where an earlier attempt has stopped if the server allows that.
 *
 * @returns its size
 * @throws CloudError, LinkRefused, ScanError `storage`, or the reason of the signal; what has come is kept
 */
export async function receiveFile(options: ReceiveOptions): Promise<number> {
  const { signal, clock } = options;
  signal.throwIfAborted();
  const limit = new TimeLimit(clock, idleMs);
  try {
    return await receive(options, limit);
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof ScanError) throw error;
    if (hasCode(error, "ENOSPC", "EDQUOT", "EACCES", "EROFS", "EIO"))
      throw new ScanError("storage", `${options.file} could not be written: ${reason(error)}`, {
        cause: error,
      });
    const problem = limit.isOver ? `nothing came for ${idleMs / 1000} s` : connectionProblem(error);
    throw new CloudError(`the connection to the cloud broke during the download: ${problem}`, {
      isTransient: true,
    });
  } finally {
    limit.stop();
  }
}

async function receive(options: ReceiveOptions, limit: TimeLimit): Promise<number> {
  const { link, file, signal, onBegin, onBytes, requireSpace, pass } = options;
  const isResumable = options.known && (options.known.validator ?? options.known.total) !== null;
  const present = isResumable ? await fileSize(file) : 0;
  const response = await fetch(link, {
    headers: { "Accept-Encoding": "identity", ...(present > 0 ? rangeHeaders(present, options.known) : {}) },
    signal: AbortSignal.any([signal, limit.signal]),
  });
  const { status } = response;
  if (status === 416 && present === options.known?.total) return present;
  const isRest = status === 206 && continues(response, present, options.known);
  if (status === 416 || (status === 206 && !isRest)) {
    await rm(file, { force: true });
    throw new CloudError("the model in the cloud has changed during the download", { isTransient: true });
  }
  if (!response.ok) {
    await response.body?.cancel();
    throw refusal(status, "the download");
  }

  const start = isRest ? present : 0;
  const length = lengthOf(response);
  const total = length === null ? null : start + length;
  if (length !== null) await requireSpace(length);
  if (!isRest) {
    await rm(file, { force: true });
    await onBegin({ validator: validatorOf(response), total });
  }
  const handle = await open(file, isRest ? "r+" : "w", 0o600);
  let at = start;
  try {
    onBytes(at, total);
    limit.restart();
    for await (const chunk of response.body ?? []) {
      limit.stop();
      await pass();
      await writeAll(handle, chunk, at);
      const before = at;
      at += chunk.length;
      if (Math.floor(before / spaceCheckBytes) !== Math.floor(at / spaceCheckBytes)) await requireSpace(0);
      onBytes(at, total);
      limit.restart();
    }
    await handle.sync();
  } finally {
    await handle.close();
  }
  if (total === null || at === total) return at;
  throw new CloudError(`the download ended after ${at} of ${total} bytes`, { isTransient: true });
}

async function writeAll(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, position + done);
    done += bytesWritten;
  }
}

function rangeHeaders(start: number, known: ReceivedFile | undefined): Record<string, string> {
  const validator = known?.validator;
  return { Range: `bytes=${start}-`, ...(validator ? { "If-Range": validator } : {}) };
}

/** Whether a partial answer is the rest of what is there. */
function continues(response: Response, start: number, known: ReceivedFile | undefined): boolean {
  const [, from, total] = /^bytes (\d+)-\d+\/(\d+)$/.exec(response.headers.get("Content-Range") ?? "") ?? [];
  return Number(from) === start && (known?.total === null || Number(total) === known?.total);
}

function lengthOf(response: Response): number | null {
  const length = response.headers.get("Content-Length");
  return length !== null && /^\d+$/.test(length) ? Number(length) : null;
}

/** A weak tag says that two files mean the same, which does not make the halves of them fit. */
function validatorOf(response: Response): string | null {
  const tag = response.headers.get("ETag");
  return tag !== null && !tag.startsWith("W/") ? tag : response.headers.get("Last-Modified");
}
