import { copyFile, mkdir, readdir, readFile, rename, rm } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { type ConfigurationFile, DeviceConfiguration, ScanError } from "@openscan/protocol";
import type { Logger } from "@openscan/runtime";
import { removeUnfinishedWrites, temporaryPath, writeFileAtomic } from "@openscan/runtime/atomic-file";
import { z } from "zod";
import { reason, unlessMissing } from "../projects/folders.js";
import { Turns } from "../projects/turns.js";
import { writeSettingsFile } from "./settings-file.js";

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
  /** One change of a file, or of which is in use, at a time. */
  readonly #turns = new Turns();

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
   *
   * @param check throws ScanError `invalid` for what no device can be made of
   */
  async atStart(
    check: (configuration: DeviceConfiguration) => void = () => {},
  ): Promise<DeviceConfiguration> {
    try {
      const configuration = await this.current();
      check(configuration);
      return configuration;
    } catch (err) {
      if (!(err instanceof ScanError && err.code === "invalid")) throw err;
      this.#log.error({ err, copy: DAMAGED }, "the device configuration is damaged, starting without one");
      // Not even a full disk may keep the scanner from starting: it is needed to delete something.
      await copyFile(join(this.#directory, CURRENT), join(this.#directory, DAMAGED)).catch((err: unknown) =>
        this.#log.error({ err }, "the damaged device configuration could not be copied"),
      );
      return parse(await readFile(join(this.#options.presetDir, UNCONFIGURED), "utf8"), UNCONFIGURED);
    }
  }

  /**
   * Reads one file of the folder, given by its name or by the path that `list` reported.
   *
   * @throws ScanError `not_found`; `invalid` naming what is wrong in the file
   */
  async read(nameOrPath: string): Promise<DeviceConfiguration> {
    const { path, filename } = await this.#find(nameOrPath);
    return parse(await textOf(path), filename);
  }

  /**
   * What clients are told of the configuration in use: all members, also those that its file leaves out.
   *
   * @throws ScanError as `read`
   */
  async currentFile(): Promise<ConfigurationFile> {
    const { path, filename } = await this.#find(CURRENT);
    const config = parse(await textOf(path), filename);
    return {
      status: "success",
      filename,
      path,
      config: { ...config, idle_timeout: config.motors_timeout },
    };
  }

  /**
   * A file of the folder as it is; directories before its name do not matter.
   *
   * @throws ScanError `not_found`; `bad_request` for one that is not JSON
   */
  async file(name: string): Promise<ConfigurationFile> {
    const { path, filename } = await this.#find(basename(name.replaceAll("\\", "/")));
    const config = z.record(z.string(), z.unknown()).safeParse(readable(await textOf(path)));
    if (!config.success) throw new ScanError("bad_request", `configuration ${filename} is not a JSON object`);
    return { status: "success", filename, path, config: config.data };
  }

  /**
   * Stores a configuration in the folder, in place of one of this name.
   *
   * @param name or path, as for `read`, of a file straight in the folder
   * @throws ScanError `invalid` for another place or an impossible name; `storage`
   */
  async add(name: string, configuration: DeviceConfiguration): Promise<string> {
    const filename = basename(name);
    const isHere = name === filename || resolve(name) === join(this.#directory, filename);
    if (!isHere || !/^[^./\\\p{Cc}][^/\\\p{Cc}]*\.json$/u.test(filename) || Buffer.byteLength(filename) > 255)
      throw new ScanError("invalid", `${JSON.stringify(name)} cannot be the name of a configuration file`);
    await this.#turns.run(() => writeSettingsFile(join(this.#directory, filename), configuration));
    return filename;
  }

  /** Stores what the device is now, for the next start. @throws ScanError `storage` */
  async save(running: () => DeviceConfiguration): Promise<void> {
    await this.#turns.run(() => writeSettingsFile(join(this.#directory, CURRENT), running()));
  }

  /**
   * Puts a configuration into use. It is on the disk before `use` makes it true: a disk that takes no more keeps it
   * from happening at all. When `use` fails, the file in use is what it was.
   *
   * @param use resolves with the configuration that the device then has
   * @throws ScanError `storage`; what `use` throws
   */
  async putIntoUse(
    configuration: DeviceConfiguration,
    use: () => Promise<DeviceConfiguration>,
  ): Promise<void> {
    const current = join(this.#directory, CURRENT);
    await this.#turns.run(async () => {
      const former = temporaryPath(current);
      const undo = await keep(current, former);
      try {
        await writeSettingsFile(current, configuration);
        const running = await use().catch(async (error: unknown) => {
          await undo();
          throw error;
        });
        // What it has in addition, detected cameras for example, the next start finds again.
        await writeSettingsFile(current, running).catch((err: unknown) =>
          this.#log.error({ err }, "the configuration in use was not stored with all its values"),
        );
      } finally {
        // What cannot be removed now is swept at the next start.
        await Promise.allSettled([rm(former, { force: true })]);
      }
    });
  }

  async list(): Promise<ListedConfiguration[]> {
    const present = (await unlessMissing(readdir(this.#directory, { withFileTypes: true }))) ?? [];
    const files = present.filter(
      (entry) => !entry.isDirectory() && entry.name.endsWith(".json") && !entry.name.startsWith("."),
    );
    return Promise.all(files.map(({ name }) => this.#describe(name)));
  }

  async #find(nameOrPath: string): Promise<{ readonly filename: string; readonly path: string }> {
    const listed = await this.list();
    const found =
      listed.find(({ filename, path }) => [filename, path].includes(nameOrPath)) ??
      listed.find(({ filename }) => basename(filename, ".json") === nameOrPath);
    if (found) return found;
    const message = `configuration ${nameOrPath} does not exist`;
    const detail = { message, available_configs: listed.map(({ filename }) => filename) };
    throw new ScanError("not_found", message, { detail });
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

/** @throws ScanError `storage` for a file that is not readable, or has gone meanwhile */
async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    throw new ScanError("storage", `${path} could not be read: ${reason(cause)}`, { cause });
  }
}

function readable(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * Copies a file; the result puts the copy in its place again, which takes no room on the disk.
 *
 * @throws ScanError `storage`
 */
async function keep(path: string, copy: string): Promise<() => Promise<void>> {
  try {
    const isThere = await unlessMissing(copyFile(path, copy).then(() => true));
    return () => (isThere ? rename(copy, path) : rm(path, { force: true }));
  } catch (cause) {
    throw new ScanError("storage", `${copy} could not be written: ${reason(cause)}`, { cause });
  }
}
