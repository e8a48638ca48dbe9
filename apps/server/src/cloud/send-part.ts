import type { FileHandle } from "node:fs/promises";
import { ScanError } from "@openscan/protocol";
import type { Clock } from "@openscan/runtime";
import { CloudError, connectionProblem } from "./cloud-error.js";
import { refusal } from "./link-refused.js";
import { readText } from "./read-text.js";
import { TimeLimit } from "./time-limit.js";

const chunkBytes = 256 * 1024;
const idleMs = 60_000;

export interface Part {
  readonly link: string;
  readonly file: FileHandle;
  readonly start: number;
  readonly bytes: number;
}

export interface SendOptions {
  readonly signal: AbortSignal;
  readonly clock: Clock;
  /** Waits while the sending is to pause. */
  readonly pass: () => Promise<void>;
  readonly onBytes: (bytes: number) => void;
}

/**
 * Sends a part of a file to its link, chunk by chunk, as fast as the other side takes it.
 *
 * @throws CloudError, LinkRefused, or the reason of the signal
 */
export async function sendPart(part: Part, options: SendOptions): Promise<void> {
  const { signal, clock } = options;
  signal.throwIfAborted();
  const limit = new TimeLimit(clock, idleMs);
  try {
    const request = {
      method: "POST",
      headers: { "Content-Type": "application/octet-stream", "Content-Length": String(part.bytes) },
      body: chunks(part, options, limit),
      duplex: "half",
      redirect: "manual",
      signal: AbortSignal.any([signal, limit.signal]),
    };
    // Node streams any iterable, which the standard's types do not know.
    const response = await fetch(part.link, request as unknown as RequestInit);
    if (response.ok) {
      // Only a connection whose answer was read can serve again.
      await readText(response, chunkBytes);
      return;
    }
    throw await refusal(response, "a part of the upload");
  } catch (error) {
    signal.throwIfAborted();
    const cause = error instanceof ScanError ? error : (error as Error).cause;
    if (cause instanceof ScanError) throw cause;
    const problem = limit.isOver ? `nothing moved for ${idleMs / 1000} s` : connectionProblem(error);
    throw new CloudError(`the connection to the cloud broke while a part was sent: ${problem}`, {
      isTransient: true,
    });
  } finally {
    limit.stop();
  }
}

async function* chunks(
  { file, start, bytes }: Part,
  { pass, onBytes }: SendOptions,
  limit: TimeLimit,
): AsyncGenerator<Uint8Array> {
  for (let sent = 0; sent < bytes; ) {
    limit.stop();
    await pass();
    limit.restart();
    const chunk = Buffer.allocUnsafe(Math.min(chunkBytes, bytes - sent));
    const { bytesRead } = await file.read(chunk, 0, chunk.length, start + sent);
    if (bytesRead === 0) throw new ScanError("storage", "the archive that is being uploaded was cut off");
    sent += bytesRead;
    onBytes(bytesRead);
    yield chunk.subarray(0, bytesRead);
  }
  limit.restart();
}
