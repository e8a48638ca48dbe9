import { copyFile, mkdir, readdir, readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { DeviceConfiguration, ScanError } from "@openscan/protocol";
import type { Logger } from "@openscan/runtime";
import { removeUnfinishedWrites, writeFileAtomic } from "@openscan/runtime/atomic-file";
import { z } from "zod";

const CURRENT = "device_config.json";
const UNCONFIGURED = "unconfigured.json";
const DAMAGED = "device_config.damaged.json";

interface ConfigurationsOptions {
  /** The `device` folder below the settings directory. */
  readonly directory: string;
  /** The presets that come with this package. */
  readonly presetDir: string;
  /** Preset that becomes the configuration when there is none yet. */
  readonly initialPreset: string;
  readonly log: Logger;
}

interface ListedConfiguration {
  filename: string;
  path: string;
  name?: string;
  model?: string | null;
  shield?: string | null;
}

/** The device configuration files: the presets, a user's own, and the one in use (`device_config.json`). */
export class Configurations {
  readonly #options: ConfigurationsOptions;
  readonly #directory: string;
  readonly #log: Logger;

  constructor(options: ConfigurationsOptions) {
    this.#options = options;
    this.#directory = options.directory;
    this.#log = options.log;
  }

  /** Copies the presets into the folder where there are none, and puts one into use on the first start. */
  async prepare(): Promise<void> {
    const { presetDir, initialPreset } = this.#options;
    const directory = this.#directory;
    await mkdir(directory, { recursive: true });
    await removeUnfinishedWrites(directory, this.#log);
    const present = await readdir(directory);
    if (present.every((name) => name === CURRENT))
      for (const preset of await readdir(presetDir))
        await copyFile(join(presetDir, preset), join(directory, preset));
    if (present.includes(CURRENT)) return;
    this.#log.info(
      { preset: initialPreset, directory },
      "no device configuration yet, starting from a preset",
    );
    await writeFileAtomic(join(directory, CURRENT), await readFile(join(presetDir, initialPreset)));
  }

  current(): Promise<DeviceConfiguration> {
    return this.read(CURRENT);
  }

  /**
   * The configuration in use; when it is damaged, none, so that UIs offer to set the scanner up. The damaged file
   * stays, and a copy that the next saved configuration does not replace.
   */
  async atStart(): Promise<DeviceConfiguration> {
    try {
      return await this.current();
    } catch (err) {
      if (!(err instanceof ScanError && err.code === "invalid")) throw err;
      await copyFile(join(this.#directory, CURRENT), join(this.#directory, DAMAGED));
      this.#log.error({ err, copy: DAMAGED }, "the device configuration is damaged, starting without one");
      return parse(await readFile(join(this.#options.presetDir, UNCONFIGURED), "utf8"), UNCONFIGURED);
    }
  }

  /**
   * Reads one file of the folder, given by its name or by the path that `list` reported.
   *
   * @throws ScanError `not_found`; `invalid` naming what is wrong in the file
   */
  async read(nameOrPath: string): Promise<DeviceConfiguration> {
    const listed = await this.list();
    const found = listed.find(({ filename, path }) =>
      [filename, path, basename(filename, ".json")].includes(nameOrPath),
    );
    if (!found) {
      const message = `configuration ${nameOrPath} does not exist`;
      const detail = { message, available_configs: listed.map(({ filename }) => filename) };
      throw new ScanError("not_found", message, { detail });
    }
    return parse(await readFile(found.path, "utf8"), found.filename);
  }

  async save(configuration: DeviceConfiguration): Promise<void> {
    await writeFileAtomic(join(this.#directory, CURRENT), `${JSON.stringify(configuration, null, 4)}\n`);
  }

  async list(): Promise<ListedConfiguration[]> {
    const files = (await readdir(this.#directory)).filter(
      (name) => name.endsWith(".json") && !name.startsWith("."),
    );
    return Promise.all(files.map((filename) => this.#describe(filename)));
  }

  async #describe(filename: string): Promise<ListedConfiguration> {
    const path = join(this.#directory, filename);
    const text = z.string().nullable().catch("Unknown");
    const Head = z.object({ name: z.string().catch("Unknown"), model: text, shield: text });
    try {
      return { filename, path, ...Head.parse(parseJson(await readFile(path, "utf8"), filename)) };
    } catch (err) {
      this.#log.warn({ err, filename }, "a device configuration cannot be read");
      return { filename, path };
    }
  }
}

function parse(text: string, filename: string): DeviceConfiguration {
  const parsed = DeviceConfiguration.safeParse(parseJson(text, filename));
  if (parsed.success) return parsed.data;
  throw new ScanError("invalid", `configuration ${filename} is not valid: ${z.prettifyError(parsed.error)}`);
}

function parseJson(text: string, filename: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ScanError("invalid", `configuration ${filename} is not JSON: ${String(cause)}`, { cause });
  }
}
