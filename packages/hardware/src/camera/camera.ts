import {
  CameraSettings,
  type CameraStatus,
  type CameraType,
  type ImageFormat,
  ScanError,
} from "@openscan/protocol";
import type { Clock } from "@openscan/runtime";
import { Lock } from "../lock.js";
import { Settings } from "../settings.js";
import { abortedBy, endsWithin, type LinkedAbort, unlessAborted } from "../waiting.js";
import type { CameraDriver, Shot } from "./driver.js";
import { withExif } from "./exif.js";
import { fileTypeOf, type FileType } from "./photo-file.js";
import { PreviewLoop, type PreviewViewer } from "./preview-loop.js";
import type { WhiteBalance, WhiteBalanceSearch } from "./white-balance.js";

/** Beyond twice the exposure; the first shot of a camera that was just switched on is slow. */
const CAPTURE_ALLOWANCE_MS = 60_000;
const PREVIEW_LIMIT_MS = 30_000;
const CONFIGURE_LIMIT_MS = 30_000;
const RESTART_LIMIT_MS = 30_000;
/** Beyond the time that the search for the white balance may take, for the frame that it ends with. */
const WHITE_BALANCE_ALLOWANCE_MS = 30_000;
/** Nobody may have the camera for longer. */
const LONGEST_WHITE_BALANCE_MS = 60_000;
/** How long a driver that was told to give up may take before the camera is used again. */
const GRACE_MS = 5000;

export interface CameraOptions {
  readonly name: string;
  readonly type: CameraType;
  readonly settings: CameraSettings;
  readonly driver: CameraDriver;
  readonly clock: Clock;
  /** Names, and tells of, what the driver threw. */
  readonly fault: (cause: unknown) => ScanError;
  /** Announces what has changed: `busy`, `settings`. */
  readonly changed: (part: string) => void;
}

export interface CaptureOptions {
  readonly format: ImageFormat;
  readonly signal?: AbortSignal | undefined;
  /** Makes a simulated photo repeatable. */
  readonly seed?: number | undefined;
}

/** A photo as it is stored and sent. */
export interface Photo extends Omit<Shot, "facts">, FileType {
  /** Of this very shot. */
  readonly settings: CameraSettings;
}

/** One camera: captures, settings and previews use it one after another. */
export class Camera {
  readonly name: string;
  readonly type: CameraType;
  readonly settings: Settings<CameraSettings>;
  readonly #driver: CameraDriver;
  readonly #clock: Clock;
  readonly #changed: (part: string) => void;
  readonly #fault: (cause: unknown) => ScanError;
  readonly #lock: Lock;
  /** What to abort when the camera is closed: everything under way or waiting. */
  readonly #uses = new Set<LinkedAbort>();
  #closed = false;
  /** Captures under way or waiting, and settings being applied. */
  #claims = 0;
  #nextFrame: Promise<Uint8Array> | undefined;
  readonly #previews: PreviewLoop;

  constructor({ name, type, settings, driver, clock, changed, fault }: CameraOptions) {
    this.name = name;
    this.type = type;
    this.#driver = driver;
    this.#clock = clock;
    this.#changed = changed;
    this.#fault = fault;
    this.#lock = new Lock(`camera ${JSON.stringify(name)}`);
    this.#previews = new PreviewLoop({ clock, capture: () => this.#previewUnlessBusy() });
    this.settings = new Settings({
      owner: `camera ${JSON.stringify(name)}`,
      schema: CameraSettings,
      initial: settings,
      lock: this.#lock,
      assertOpen: () => this.#assertOpen(),
      apply: (values) => this.#whileBusy(() => this.#configure(values)),
      changed: () => changed("settings"),
      fault,
    });
  }

  status(): CameraStatus {
    return { name: this.name, type: this.type, busy: this.#claims > 0, settings: this.settings.get() };
  }

  get formats(): readonly ImageFormat[] {
    return this.#driver.formats;
  }

  /** @throws ScanError `bad_request` for a format that this camera has not */
  requireFormat(format: ImageFormat): void {
    const { formats } = this.#driver;
    if (!formats.includes(format)) {
      throw new ScanError("bad_request", `camera ${this.name} delivers ${formats.join(", ")}, not ${format}`);
    }
  }

  /**
   * Takes a photo, after those that were asked for before.
   *
   * @throws ScanError `bad_request` for a format that this camera has not; `busy` when too many wait already;
   * `cancelled`; `timeout`; `hardware_fault`; `offline` when closed
   */
  async capture({ format, signal, seed }: CaptureOptions): Promise<Photo> {
    this.#assertOpen();
    this.requireFormat(format);
    return this.#whileBusy(() =>
      this.#use({
        signal,
        limitMs: () => 2 * (this.settings.get().shutter ?? 0) + CAPTURE_ALLOWANCE_MS,
        work: async (stop) => {
          const settings = this.settings.get();
          return this.#photo(await this.#driver.capture({ format, signal: stop, seed }), settings);
        },
      }),
    );
  }

  /**
   * The next preview frame, a small JPEG. All who ask while it is being made get the same one. Does not make
   * the camera busy.
   *
   * @throws ScanError `busy` while a photo or settings have the camera; others as `capture`
   */
  async preview(signal?: AbortSignal): Promise<Uint8Array> {
    this.#assertOpen();
    if (this.#claims > 0) throw new ScanError("busy", `camera ${this.name} is busy`);
    if (!this.#nextFrame) {
      // Made for all viewers, hence not ended when the first of them leaves.
      const frame = this.#use({
        signal: undefined,
        limitMs: () => PREVIEW_LIMIT_MS,
        work: (stop) => this.#driver.preview(stop),
      });
      this.#nextFrame = frame;
      const forget = () => {
        this.#nextFrame = undefined;
      };
      frame.then(forget, forget);
    }
    return unlessAborted(this.#nextFrame, signal).catch((error: unknown) => {
      throw signal?.aborted ? this.#cancelled(error) : error;
    });
  }

  /**
   * Shows one preview after the other to a viewer until it leaves. All viewers share the frames, and skip those
   * moments in which a photo or settings have the camera.
   *
   * @throws ScanError `offline` when the camera is closed, and what `preview` throws: the viewer has then seen its
   * last frame
   */
  watch(viewer: PreviewViewer): Promise<void> {
    this.#assertOpen();
    return this.#previews.watch(viewer);
  }

  /**
   * Finds the gains with which grey is grey in what the camera sees, and makes them its settings.
   *
   * @throws ScanError `unsupported` by this camera; `busy`; `timeout` when nothing was found, as in the dark;
   * others as `capture`
   */
  async calibrateWhiteBalance(search: WhiteBalanceSearch, signal?: AbortSignal): Promise<WhiteBalance> {
    this.#assertOpen();
    const calibrate = this.#driver.calibrateWhiteBalance?.bind(this.#driver);
    if (!calibrate) throw this.#unsupported("automatic white balance");
    if (this.#claims > 0) throw new ScanError("busy", `camera ${this.name} is busy`);
    const timeoutMs = Math.min(search.timeoutMs, LONGEST_WHITE_BALANCE_MS);
    return this.#whileBusy(async () => {
      const gains = await this.#use({
        signal,
        limitMs: () => timeoutMs + WHITE_BALANCE_ALLOWANCE_MS,
        work: async (stop) => {
          const found = await calibrate({ ...search, timeoutMs }, stop);
          stop.throwIfAborted();
          if (found) await this.settings.updateHeld({ awbg_red: found.red, awbg_blue: found.blue });
          return found;
        },
      });
      if (gains) return gains;
      throw new ScanError(
        "timeout",
        `camera ${this.name} found no white balance within ${timeoutMs} ms; is there light?`,
      );
    });
  }

  /**
   * Closes and opens the camera anew, after what was asked for before.
   *
   * @throws ScanError `unsupported` by this camera; others as `capture`
   */
  async restart(signal?: AbortSignal): Promise<void> {
    this.#assertOpen();
    const restart = this.#driver.restart?.bind(this.#driver);
    if (!restart) throw this.#unsupported("restart");
    await this.#whileBusy(() => this.#use({ signal, limitMs: () => RESTART_LIMIT_MS, work: restart }));
  }

  /** Gives up what is under way and lets go of the camera. Everything asked for later is `offline`. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#previews.end(this.#offline());
    for (const use of this.#uses) use.abort(this.#offline());
    await this.#lock.runAtLast(() => this.#driver.close());
  }

  async #previewUnlessBusy(): Promise<Uint8Array | undefined> {
    if (this.#claims > 0) return undefined;
    try {
      return await this.preview();
    } catch (error) {
      if (error instanceof ScanError && error.code === "busy") return undefined;
      throw error;
    }
  }

  /** The one place that makes a file of what any driver delivers. */
  #photo({ facts, ...shot }: Shot, settings: CameraSettings): Photo {
    const { format, bytes, rawMetadata } = shot;
    const tags = { model: this.name, software: "OpenScan3", ...facts };
    return {
      ...shot,
      ...fileTypeOf(format, rawMetadata["capture_name"]),
      bytes: format === "jpeg" ? withExif(bytes, tags, settings.orientation_flag ?? 1) : bytes,
      settings,
    };
  }

  #unsupported(what: string): ScanError {
    return new ScanError("unsupported", `camera ${this.name} (${this.type}) has no ${what}`);
  }

  async #whileBusy<T>(work: () => Promise<T>): Promise<T> {
    if (this.#claims++ === 0) this.#changed("busy");
    try {
      return await work();
    } finally {
      if (--this.#claims === 0) this.#changed("busy");
    }
  }

  /** Hands settings to the driver, whose turn it is already; one that hangs must not keep the camera for ever. */
  async #configure(values: CameraSettings): Promise<void> {
    const stop = abortedBy();
    this.#uses.add(stop);
    try {
      const result = this.#driver.configure(values);
      if (await this.#endsWithin(result, CONFIGURE_LIMIT_MS, stop.signal)) return await result;
      stop.signal.throwIfAborted();
      throw new ScanError(
        "timeout",
        `camera ${this.name} did not take its settings within ${CONFIGURE_LIMIT_MS} ms`,
      );
    } finally {
      this.#uses.delete(stop);
    }
  }

  /** Uses the driver when it is this work's turn, at most for `limitMs`; errors name the camera. */
  async #use<T>({ signal, limitMs, work }: Use<T>): Promise<T> {
    const stop = abortedBy(signal);
    this.#uses.add(stop);
    try {
      return await this.#lock.run(async () => {
        const ms = limitMs();
        const result = work(stop.signal);
        if (await this.#endsWithin(result, ms, stop.signal)) return result;
        stop.abort(new ScanError("timeout", `camera ${this.name} did not answer within ${ms} ms`));
        await this.#endsWithin(result, GRACE_MS);
        throw stop.signal.reason;
      }, stop.signal);
    } catch (error) {
      if (signal?.aborted && !this.#closed) throw this.#cancelled(error);
      throw this.#fault(error);
    } finally {
      this.#uses.delete(stop);
      stop.unlink();
    }
  }

  /** Whether the driver answers in time, before anyone gives up. */
  #endsWithin(result: Promise<unknown>, ms: number, signal?: AbortSignal): Promise<boolean> {
    return endsWithin(result, { clock: this.#clock, ms, signal }).catch(() => false);
  }

  #cancelled(cause: unknown): ScanError {
    return new ScanError("cancelled", `camera ${this.name}: what was asked for was cancelled`, { cause });
  }

  #offline(): ScanError {
    return new ScanError("offline", `camera ${this.name} is closed`);
  }

  #assertOpen(): void {
    if (this.#closed) throw this.#offline();
  }
}

interface Use<T> {
  readonly signal: AbortSignal | undefined;
  /** Asked when the work begins. */
  readonly limitMs: () => number;
  readonly work: (stop: AbortSignal) => Promise<T>;
}
