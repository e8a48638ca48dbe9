import { Worker } from "node:worker_threads";
import { ScanError } from "@openscan/protocol";
import { workerUrl } from "@openscan/runtime";
import type { QrJob, QrReply } from "./qr-job.js";

interface Waiting {
  readonly resolve: (texts: string[]) => void;
  readonly reject: (cause: ScanError) => void;
}

/** Reads QR codes on a thread of its own, which lives until it is closed. */
export class QrReader {
  readonly #worker: Worker;
  readonly #exited: Promise<void>;
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;
  #ended = false;

  constructor() {
    // Options of this process, such as the condition that resolves packages to their TypeScript, are not the script's.
    this.#worker = new Worker(workerUrl(import.meta.url, "./qr-worker.js"), { execArgv: [] });
    this.#worker.on("message", (reply: QrReply) => {
      const waiting = this.#waiting.get(reply.id);
      this.#waiting.delete(reply.id);
      if ("texts" in reply) waiting?.resolve(reply.texts);
      else waiting?.reject(new ScanError("internal", `a preview frame is no picture: ${reply.problem}`));
    });
    let cause: unknown;
    this.#worker.on("error", (error) => {
      cause = error;
    });
    this.#exited = new Promise((resolve) => {
      this.#worker.on("exit", () => {
        this.#ended = true;
        for (const { reject } of this.#waiting.values()) reject(ended(cause));
        this.#waiting.clear();
        resolve();
      });
    });
  }

  /**
   * The texts of all QR codes in a picture.
   *
   * @throws ScanError `internal` when it is no picture, or the thread has ended
   */
  async read(jpeg: Uint8Array): Promise<string[]> {
    if (this.#ended) throw ended(undefined);
    const job: QrJob = { id: ++this.#lastId, jpeg };
    return new Promise((resolve, reject) => {
      this.#waiting.set(job.id, { resolve, reject });
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
      this.#worker.postMessage(job);
    });
  }

  /** Resolves when the thread has really ended; whatever it was asked for is given up. */
  async close(): Promise<void> {
    await this.#worker.terminate();
    await this.#exited;
  }
}

const ended = (cause: unknown) =>
  new ScanError("internal", "the thread that reads QR codes has ended", { cause });
