import type { FileHandle } from "node:fs/promises";
import { type ClientRequest, type IncomingMessage, request as requestPlain } from "node:http";
import { request as requestEncrypted } from "node:https";
import { ScanError } from "@openscan/protocol";
import type { Clock } from "@openscan/runtime";
import { CloudError, connectionProblem } from "./cloud-error.js";
import { refusal } from "./link-refused.js";
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
    const status = await post(part, options, limit);
    if (status < 200 || status > 299) throw refusal(status, "a part of the upload");
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof ScanError) throw error;
    const problem = limit.isOver ? `nothing moved for ${idleMs / 1000} s` : connectionProblem(error);
    throw new CloudError(`the connection to the cloud broke while a part was sent: ${problem}`, {
      isTransient: true,
    });
  } finally {
    limit.stop();
  }
}

/**
 * Not with `fetch`: only here is it told when a chunk has left, so that its memory can take the next one. An upload
 * then needs the same few bytes however long it is.
 */
async function post(part: Part, options: SendOptions, limit: TimeLimit): Promise<number> {
  const begin = part.link.startsWith("https:") ? requestEncrypted : requestPlain;
  const request = begin(part.link, {
    method: "POST",
    headers: { "Content-Type": "application/octet-stream", "Content-Length": part.bytes },
    signal: AbortSignal.any([options.signal, limit.signal]),
  });
  const answer = answerTo(request);
  const buffer = Buffer.allocUnsafeSlow(Math.min(chunkBytes, part.bytes));
  try {
    for (let sent = 0; sent < part.bytes; ) {
      limit.stop();
      await options.pass();
      limit.restart();
      const most = Math.min(buffer.length, part.bytes - sent);
      const { bytesRead } = await part.file.read(buffer, 0, most, part.start + sent);
      if (bytesRead === 0) throw new ScanError("storage", "the archive that is being uploaded was cut off");
      const early = await Promise.race([flushed(request, buffer.subarray(0, bytesRead)), answer]);
      if (early) return early.statusCode === 200 ? 500 : (early.statusCode ?? 500);
      sent += bytesRead;
      options.onBytes(bytesRead);
    }
    request.end();
    limit.restart();
    const { statusCode = 500 } = await answer;
    return statusCode;
  } finally {
    // One that was answered serves again.
    if (!request.writableFinished) request.destroy();
  }
}

function answerTo(request: ClientRequest): Promise<IncomingMessage> {
  const answer = new Promise<IncomingMessage>((resolve, reject) => {
    request.on("error", reject);
    request.once("close", () => reject(new Error("it was closed without an answer")));
    request.once("response", (response) => {
      // Nobody reads it, but a connection whose answer was read can be used again.
      response.on("error", () => {}).resume();
      resolve(response);
    });
  });
  // Whoever waits for it hears of a failure; until then it must not count as unhandled.
  answer.catch(() => {});
  return answer;
}

/** Resolves when the chunk has left this process. */
function flushed(request: ClientRequest, chunk: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    request.write(chunk, (error) => {
      if (error) reject(error);
      else resolve();
    });
  });
}
