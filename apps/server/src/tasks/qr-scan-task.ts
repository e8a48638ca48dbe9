import { ScanError, type TaskProgress } from "@openscan/protocol";
import {
  defineTask,
  parameters,
  type TaskContext,
  TaskInterrupted,
  TaskPreempted,
  type TaskType,
} from "@openscan/tasks";
import { z } from "zod";
import type { Network } from "../wifi/network.js";
import { SteadyTexts } from "../wifi/steady-texts.js";
import { isWifiCode, parseWifiCode, type WifiNetwork } from "../wifi/wifi-code.js";

export const qrScanTaskType = "qr_scan_task";

const WARM_UP_MS = 3000;
const FRAME_MS = 500;
const NETWORK_CHECK_MS = 5000;
const REPORT_MS = 30_000;
const ATTEMPTS = 2;
const RETRY_MS = 2000;
/** Frames in a row that may fail, be it because the hardware is being initialised, before the camera counts as broken. */
const FAILED_FRAMES = 60;
const MAX_REFUSED = 100;

interface QrScanCamera {
  preview(signal?: AbortSignal): Promise<Uint8Array>;
}

export interface QrScanTaskOptions {
  /** @throws ScanError `not_found` */
  readonly camera: (name: string) => QrScanCamera;
  readonly network: Network;
  readonly openReader: () => { read(jpeg: Uint8Array): Promise<string[]>; close(): Promise<void> };
  /** Removes what is no longer of interest of the earlier tasks of this type. */
  readonly forgetEarlier: (ownId: string) => Promise<void>;
  /** Told when a user did not want it: it is then not to start by itself again. */
  readonly dismissed: () => Promise<void>;
}

/**
 * Looks for a Wi-Fi QR code in the preview, without end, and joins the network that it names. Any scan ends it: somebody
 * who can ask for one has a connection.
 */
export function qrScanTask(options: QrScanTaskOptions): TaskType {
  const parse = parameters(z.object({ camera_name: z.string() }));
  return defineTask({
    type: qrScanTaskType,
    concurrency: "concurrent",
    preemptible: true,
    input(args, kwargs) {
      const { camera_name } = parse(args, kwargs);
      options.camera(camera_name);
      return camera_name;
    },
    run: (camera, context) => new QrScan(camera, context, options).run(),
  });
}

interface QrScanResult {
  readonly ssid?: string;
  readonly security?: WifiNetwork["security"];
  readonly hidden?: boolean;
  readonly nmcli_output?: string;
  readonly reason?: string;
}

class QrScan {
  readonly #camera: string;
  readonly #context: TaskContext;
  readonly #options: QrScanTaskOptions;
  readonly #steady = new SteadyTexts();
  /** What was found wrong with codes, so that each is told of once. */
  readonly #refused = new Set<string>();
  #failedFrames = 0;

  constructor(camera: string, context: TaskContext, options: QrScanTaskOptions) {
    this.#camera = camera;
    this.#context = context;
    this.#options = options;
  }

  async *run(): AsyncGenerator<TaskProgress, QrScanResult, void> {
    const { id, signal } = this.#context;
    const { network, openReader, forgetEarlier, dismissed } = this.#options;
    try {
      await forgetEarlier(id);
      // Says at once that nothing can come of it where there is no NetworkManager.
      await network.isUp(signal);
      yield progress("Waiting for the camera.");
      const reader = openReader();
      try {
        return yield* this.#look((jpeg) => reader.read(jpeg));
      } finally {
        await reader.close();
      }
    } finally {
      const { reason } = signal;
      if (signal.aborted && !(reason instanceof TaskPreempted || reason instanceof TaskInterrupted))
        await dismissed();
    }
  }

  async *#look(
    read: (jpeg: Uint8Array) => Promise<string[]>,
  ): AsyncGenerator<TaskProgress, QrScanResult, void> {
    const { clock, signal, checkpoint } = this.#context;
    await clock.sleep(WARM_UP_MS, signal);
    yield progress(looking);
    let reportedAt = clock.monotonic();
    let checkedAt = clock.monotonic();
    for (;;) {
      await checkpoint();
      const texts = await this.#textsOfFrame(read);
      for (const text of texts ? this.#steady.see(texts) : []) {
        const wifi = isWifiCode(text) ? this.#wifiOf(text) : undefined;
        if (wifi instanceof ScanError) yield progress(`${wifi.message}.`);
        else if (wifi) return yield* this.#join(wifi);
      }
      const now = clock.monotonic();
      if (now - checkedAt >= NETWORK_CHECK_MS) {
        checkedAt = now;
        if (await this.#options.network.isUp(signal)) return { reason: "The network is up." };
      }
      if (now - reportedAt >= REPORT_MS) {
        reportedAt = now;
        yield progress(looking);
      }
      await clock.sleep(FRAME_MS, signal);
    }
  }

  /** Nothing when the camera is busy or has no frame to give. */
  async #textsOfFrame(read: (jpeg: Uint8Array) => Promise<string[]>): Promise<string[] | undefined> {
    const { signal, log } = this.#context;
    try {
      const texts = await read(await this.#options.camera(this.#camera).preview(signal));
      this.#failedFrames = 0;
      return texts;
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof ScanError && error.code === "busy") return undefined;
      if (++this.#failedFrames >= FAILED_FRAMES) throw error;
      if (this.#failedFrames === 1)
        log.warn({ err: error, camera: this.#camera }, "no preview frame for the QR scan");
      return undefined;
    }
  }

  /** Nothing for a code whose problem has been told. */
  #wifiOf(text: string): WifiNetwork | ScanError | undefined {
    try {
      return parseWifiCode(text);
    } catch (error) {
      if (!(error instanceof ScanError)) throw error;
      if (this.#refused.has(error.message)) return undefined;
      if (this.#refused.size >= MAX_REFUSED) this.#refused.clear();
      this.#refused.add(error.message);
      return error;
    }
  }

  async *#join(wifi: WifiNetwork): AsyncGenerator<TaskProgress, QrScanResult, void> {
    const { clock, signal, log } = this.#context;
    const { ssid, security, hidden } = wifi;
    for (let attempt = 1; ; attempt++) {
      yield progress(`Connecting with "${ssid}", attempt ${attempt} of ${ATTEMPTS}.`);
      try {
        return { ssid, security, hidden, nmcli_output: await this.#options.network.join(wifi, signal) };
      } catch (err) {
        signal.throwIfAborted();
        log.warn({ err, ssid, attempt }, "a Wi-Fi network was not joined");
        await clock.sleep(RETRY_MS, signal);
        if (attempt === ATTEMPTS) throw err;
      }
    }
  }
}

const looking = "Looking for a Wi-Fi QR code.";
const progress = (message: string): TaskProgress => ({ current: 0, total: 0, message });
