import { copyFile, mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { FirmwareSettings, ScanError } from "@openscan/protocol";
import type { Logger } from "@openscan/runtime";
import { removeUnfinishedWrites } from "@openscan/runtime/atomic-file";
import { z } from "zod";
import { unlessMissing } from "../projects/folders.js";
import { Turns } from "../projects/turns.js";
import { writeSettingsFile } from "./settings-file.js";

const FILE = "firmware_settings.json";
const DAMAGED = "firmware_settings.damaged.json";

interface FirmwareSettingsOptions {
  /** The `firmware` folder below the settings directory. */
  readonly directory: string;
  readonly log: Logger;
}

/** The user's firmware settings: in memory for whoever asks, on the disk with each change. */
export class FirmwareSettingsFile {
  readonly #directory: string;
  readonly #log: Logger;
  readonly #turns = new Turns();
  #settings = FirmwareSettings.parse({});
  /** What else is in the file; other versions may know it. */
  #others: Readonly<Record<string, unknown>> = {};

  constructor({ directory, log }: FirmwareSettingsOptions) {
    this.#directory = directory;
    this.#log = log;
  }

  /**
   * Reads the file; where there is none it is made. What is wrong in it counts as its default and is kept in
   * `firmware_settings.damaged.json`. A disk that refuses it all leaves the scanner with the defaults.
   */
  async load(): Promise<void> {
    try {
      await mkdir(this.#directory, { recursive: true });
      await removeUnfinishedWrites(this.#directory, this.#log);
      const text = await unlessMissing(readFile(this.#path, "utf8"));
      if (text === undefined) await writeSettingsFile(this.#path, this.#settings);
      else await this.#take(text);
    } catch (err) {
      this.#log.error({ err, file: this.#path }, "the firmware settings could not be read or written");
    }
  }

  get(): FirmwareSettings {
    return { ...this.#settings };
  }

  /** @throws ScanError `storage`: nothing has changed then */
  async replace(settings: FirmwareSettings): Promise<FirmwareSettings> {
    return this.change(() => settings);
  }

  /** Makes new settings of the ones in use, one change after the other. Errors as `replace`. */
  async change(next: (settings: FirmwareSettings) => FirmwareSettings): Promise<FirmwareSettings> {
    return this.#turns.run(async () => {
      const settings = FirmwareSettings.parse(next(this.get()));
      await writeSettingsFile(this.#path, { ...this.#others, ...settings });
      this.#settings = settings;
      return this.get();
    });
  }

  get #path(): string {
    return join(this.#directory, FILE);
  }

  async #take(text: string): Promise<void> {
    const json = z.record(z.string(), z.unknown()).safeParse(parsed(text)).data;
    const settings = FirmwareSettings.safeParse(json);
    this.#settings = settings.data ?? salvaged(json ?? {});
    this.#others = Object.fromEntries(
      Object.entries(json ?? {}).filter(([key]) => !(key in FirmwareSettings.shape)),
    );
    if (settings.success) return;
    await copyFile(this.#path, join(this.#directory, DAMAGED));
    this.#log.error(
      { err: new ScanError("invalid", z.prettifyError(settings.error)), copy: DAMAGED },
      "the firmware settings are damaged, what is wrong takes its default",
    );
    await writeSettingsFile(this.#path, { ...this.#others, ...this.#settings });
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Each setting that is right, and the defaults of the others. */
function salvaged(json: Readonly<Record<string, unknown>>): FirmwareSettings {
  const right = Object.entries(FirmwareSettings.shape).filter(
    ([key, schema]) => schema.safeParse(json[key]).success,
  );
  return FirmwareSettings.parse(Object.fromEntries(right.map(([key]) => [key, json[key]])));
}
