import { Worker } from "node:worker_threads";
import { ScanError } from "@openscan/protocol";
import type { Logger } from "@openscan/runtime";
import type { RenderJob, RenderReply } from "./render-job.js";
import type { TwinPhoto, TwinView } from "./view.js";

interface Waiting {
  readonly view: TwinView;
  readonly resolve: (photo: TwinPhoto) => void;
  readonly reject: (cause: unknown) => void;
}

/**
 * One render worker and the jobs that wait for it, done one after the other. The worker starts with the
 * first job and again with the next one after it died. It keeps the process alive only while it works.
 */
export class RenderThread {
  readonly #script: URL;
  readonly #log: Logger;
  readonly #limit: number;
  readonly #queue: Waiting[] = [];
  #worker: Worker | undefined;
  #current: (Waiting & { readonly id: number }) | undefined;
  #lastId = 0;
  #closed = false;

  /** @param limit how many jobs may wait beside the one that runs */
  constructor({ script, log, limit }: { script: URL; log: Logger; limit: number }) {
    this.#script = script;
    this.#log = log;
    this.#limit = limit;
  }

  /**
   * @param signal drops the job when it has not started, and its result when it has
   * @throws ScanError `busy` when the queue is full, `hardware_fault` when the worker dies, `offline` when
   *   closed; or `signal.reason`
   */
  async render(view: TwinView, signal?: AbortSignal): Promise<TwinPhoto> {
    signal?.throwIfAborted();
    if (this.#closed) throw closedError();
    if (this.#queue.length >= this.#limit) {
      throw new ScanError("busy", `simulated camera: ${this.#limit} pictures are waiting already`);
    }
    const { promise, resolve, reject } = deferred<TwinPhoto>();
    const job: Waiting = { view, resolve, reject };
    const abort = () => {
      const place = this.#queue.indexOf(job);
      if (place >= 0) this.#queue.splice(place, 1);
      reject(signal?.reason);
    };
    signal?.addEventListener("abort", abort, { once: true });
    this.#queue.push(job);
    this.#next();
    try {
      return await promise;
    } finally {
      signal?.removeEventListener("abort", abort);
    }
  }

  /** Ends the worker; whoever waits gets `offline`. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const job of this.#queue.splice(0)) job.reject(closedError());
    this.#current?.reject(closedError());
    this.#current = undefined;
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
  }

  #next(): void {
    if (this.#current) return;
    const job = this.#queue.shift();
    if (!job) {
      this.#worker?.unref();
      return;
    }
    this.#worker ??= this.#start();
    this.#worker.ref();
    this.#current = { ...job, id: ++this.#lastId };
    const message: RenderJob = { id: this.#lastId, view: job.view };
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
    this.#worker.postMessage(message);
  }

  #start(): Worker {
    // Without this process' own flags: the script is built, whatever the process was started to run from source.
    const worker = new Worker(this.#script, { execArgv: [] });
    let cause: unknown;
    worker.on("message", (reply: RenderReply) => this.#answered(worker, reply));
    worker.on("error", (error) => {
      cause = error;
    });
    worker.on("exit", (exitCode) => this.#died(worker, exitCode, cause));
    return worker;
  }

  #answered(worker: Worker, reply: RenderReply): void {
    const job = this.#current;
    if (worker !== this.#worker || job?.id !== reply.id) return;
    this.#current = undefined;
    if ("photo" in reply) job.resolve(reply.photo);
    else job.reject(new ScanError(reply.problem.code, reply.problem.message));
    this.#next();
  }

  #died(worker: Worker, exitCode: number, cause: unknown): void {
    if (worker !== this.#worker) return;
    this.#worker = undefined;
    this.#log.warn({ err: cause, exitCode }, "the simulated camera's worker died");
    const job = this.#current;
    this.#current = undefined;
    job?.reject(
      new ScanError("hardware_fault", `simulated camera: its worker died with code ${exitCode}`, { cause }),
    );
    this.#next();
  }
}

function closedError(): ScanError {
  return new ScanError("offline", "simulated camera is closed");
}

function deferred<T>() {
  let resolve!: (value: T) => void;
  let reject!: (cause: unknown) => void;
  const promise = new Promise<T>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
}
