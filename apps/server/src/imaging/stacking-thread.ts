import { Worker } from "node:worker_threads";
import { ScanError } from "@openscan/protocol";
import { workerUrl } from "@openscan/runtime";
import type { AffineRows } from "./affine.js";
import type { StackingJob, StackingReply } from "./stacking-job.js";

/** What the thread could not do with the photos it was given; it can go on with others. */
export class UnusablePhotos extends Error {}

interface Waiting {
  readonly resolve: (reply: StackingReply) => void;
  readonly reject: (cause: unknown) => void;
}

/** Aligns and stacks photos on a thread of its own, one stack at a time, at low priority. Starts with the first job. */
export class StackingThread {
  readonly #script: URL;
  #worker: Worker | undefined;
  #waiting: Waiting | undefined;

  constructor(script = workerUrl(import.meta.url, "./stacking-worker.js")) {
    this.#script = script;
  }

  /**
   * Where points of the middle photo are in each one; null for those that do not tell.
   *
   * @throws UnusablePhotos, ScanError `internal` when the thread dies, or `signal.reason`
   */
  async align(files: readonly string[], signal: AbortSignal): Promise<readonly (AffineRows | null)[]> {
    const reply = await this.#ask({ kind: "align", files }, signal);
    if ("transforms" in reply) return reply.transforms;
    throw unexpected();
  }

  /**
   * One JPEG that is everywhere as sharp as the sharpest of the photos.
   *
   * @throws as `align`
   */
  async stack(
    files: readonly string[],
    transforms: readonly AffineRows[],
    signal: AbortSignal,
  ): Promise<Uint8Array> {
    const reply = await this.#ask({ kind: "stack", files, transforms }, signal);
    if ("jpeg" in reply) return reply.jpeg;
    throw unexpected();
  }

  /** Resolves when the thread has really ended. */
  async close(): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
  }

  /** An abort ends the thread: what it computes knows no pause. The promise settles when it is gone. */
  async #ask(job: StackingJob, signal: AbortSignal): Promise<StackingReply> {
    signal.throwIfAborted();
    this.#worker ??= this.#start();
    const worker = this.#worker;
    const abort = () => void worker.terminate();
    signal.addEventListener("abort", abort, { once: true });
    try {
      const reply = await new Promise<StackingReply>((resolve, reject) => {
        this.#waiting = { resolve, reject };
        // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
        worker.postMessage(job);
      });
      if ("problem" in reply) throw new UnusablePhotos(reply.problem);
      return reply;
    } catch (error) {
      signal.throwIfAborted();
      throw error;
    } finally {
      signal.removeEventListener("abort", abort);
      this.#waiting = undefined;
    }
  }

  #start(): Worker {
    // Without this process' own flags: the script is built, whatever the process was started to run from source.
    const worker = new Worker(this.#script, { execArgv: [] });
    let cause: unknown;
    worker.on("message", (reply: StackingReply) => this.#waiting?.resolve(reply));
    worker.on("error", (error) => {
      cause = error;
    });
    worker.on("exit", (code) => {
      if (this.#worker === worker) this.#worker = undefined;
      const reason = cause instanceof Error ? cause.message : `code ${code}`;
      this.#waiting?.reject(
        new ScanError("internal", `focus stacking: its thread ended: ${reason}`, { cause }),
      );
    });
    return worker;
  }
}

function unexpected(): ScanError {
  return new ScanError("internal", "focus stacking: its thread answered something else");
}
