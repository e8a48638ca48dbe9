import { readFile } from "node:fs/promises";
import { Worker } from "node:worker_threads";
import { type Clock, type Logger, workerUrl } from "@openscan/runtime";
import sharp from "sharp";
import type { Picture } from "./sharpness.js";

/** Pixels of the longer side that a photo is shrunk to: the figure then depends little on the camera's resolution. */
const LONGER_SIDE = 1024;
/** Photos that may wait for the one being measured. */
const WAITING = 2;
/** Who waits for a figure has better things to do by then. */
const LIMIT_MS = 1000;

export interface SharpnessMeterOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly script?: URL;
}

/**
 * Measures photos in the background, one after the other: decoding is left to the image library's threads, the counting
 * to a thread of its own, which starts with the first photo. A photo that would have to wait too long is not measured.
 */
export class SharpnessMeter {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #script: URL;
  #last: Promise<unknown> = Promise.resolve();
  #pending = 0;
  #worker: Worker | undefined;
  #closed = false;

  constructor({
    clock,
    log,
    script = workerUrl(import.meta.url, "./sharpness-worker.js"),
  }: SharpnessMeterOptions) {
    this.#clock = clock;
    this.#log = log;
    this.#script = script;
  }

  /**
   * @param file a JPEG
   * @returns see `laplacianVariance`; null when it was not measured, whatever the reason
   */
  async measure(file: string): Promise<number | null> {
    if (this.#closed || this.#pending > WAITING || !/\.jpe?g$/i.test(file)) return null;
    this.#pending++;
    const result = this.#last.then(() => this.#measure(file)).finally(() => void this.#pending--);
    this.#last = result;
    return this.#withinLimit(result);
  }

  /** Ends the thread; photos that wait are not measured. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#worker?.terminate();
  }

  async #measure(file: string): Promise<number | null> {
    if (this.#closed) return null;
    try {
      const picture = await smallPicture(file);
      return this.#closed ? null : await this.#count(picture);
    } catch (err) {
      this.#log.warn({ err, file }, "a photo's sharpness was not measured");
      return null;
    }
  }

  #count(picture: Picture): Promise<number> {
    const worker = (this.#worker ??= this.#start());
    return new Promise<number>((resolve, reject) => {
      const cancel = this.#clock.after(LIMIT_MS, () => void worker.terminate());
      const settle = (end: () => void) => {
        cancel();
        worker.off("message", answered).off("error", reject).off("exit", died);
        worker.unref();
        end();
      };
      const answered = (sharpness: number) => settle(() => resolve(sharpness));
      const died = (code: number) => settle(() => reject(new Error(`its thread ended with code ${code}`)));
      worker.once("message", answered).once("error", reject).once("exit", died);
      worker.ref();
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
      worker.postMessage(picture, [picture.values.buffer as ArrayBuffer]);
    });
  }

  #start(): Worker {
    // Without this process' own flags: the script is built, whatever the process was started to run from source.
    const worker = new Worker(this.#script, { execArgv: [] });
    worker.once("exit", () => {
      if (this.#worker === worker) this.#worker = undefined;
    });
    // Told to whoever waits; without anybody it must not end the process.
    worker.on("error", () => {});
    return worker;
  }

  async #withinLimit(result: Promise<number | null>): Promise<number | null> {
    let cancel = () => {};
    const late = new Promise<null>((resolve) => {
      cancel = this.#clock.after(LIMIT_MS, () => resolve(null));
    });
    try {
      return await Promise.race([result, late]);
    } finally {
      cancel();
    }
  }
}

/** Decoded no larger than needed, which makes it several times faster. */
async function smallPicture(file: string): Promise<Picture> {
  // Read here: the image library would remember what was in a file of this name before.
  const { data, info } = await sharp(await readFile(file))
    .resize(LONGER_SIDE, LONGER_SIDE, { fit: "inside", withoutEnlargement: true })
    .raw()
    .toBuffer({ resolveWithObject: true });
  // Small buffers come from Node's shared pool, whose memory cannot be handed to another thread.
  const { width, height, channels } = info;
  return { width, height, channels, values: new Uint8Array(data) };
}
