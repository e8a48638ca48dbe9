import { chmod, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { CloudSettings, type CloudSettingsResponse, ScanError } from "@openscan/protocol";
import type { Logger } from "@openscan/runtime";
import { removeUnfinishedWrites } from "@openscan/runtime/atomic-file";
import { z } from "zod";
import { writeSettingsFile } from "../device/settings-file.js";
import { reason, unlessMissing } from "../projects/folders.js";
import { Turns } from "../projects/turns.js";
import { looksMasked, mask, type Masking, masking } from "./mask.js";

const FILE = "cloud.json";
const ownerOnly = 0o600;
const secretNames = ["user", "password", "token"] as const;
const publicPassword = CloudSettings.parse({ token: "" }).password;

export interface CloudAccountOptions {
  /** The `firmware` folder below the settings directory. */
  readonly directory: string;
  /** Used while there is no file. */
  readonly environmentToken: string | undefined;
  readonly log: Logger;
}

interface Active {
  readonly settings: CloudSettings;
  readonly source: "persistent" | "environment";
}

/** The cloud settings in use, and their file, which nobody but its owner may read. */
export class CloudAccount {
  readonly #directory: string;
  readonly #environmentToken: string | undefined;
  readonly #log: Logger;
  readonly #turns = new Turns();
  #active: Active | undefined;
  #persisted = false;

  constructor({ directory, environmentToken, log }: CloudAccountOptions) {
    this.#directory = directory;
    this.#environmentToken = environmentToken;
    this.#log = log;
  }

  /** Takes the file's settings, else those of the environment. A file that cannot be read stays as it is. */
  load(): Promise<void> {
    return this.#turns.run(async () => {
      const stored = await this.#read();
      this.#active = stored ? { settings: stored, source: "persistent" } : this.#fromEnvironment();
    });
  }

  /** `undefined` while the cloud is not configured. */
  get settings(): CloudSettings | undefined {
    return this.#active?.settings;
  }

  /**
   * The settings, with another token for one job.
   *
   * @throws ScanError `bad_request` while the cloud is not configured
   */
  require(token: string | null = null): CloudSettings {
    if (!this.#active) throw new ScanError("bad_request", "the cloud is not configured: it needs a token");
    return token === null ? this.#active.settings : { ...this.#active.settings, token };
  }

  /** Resolves when everything asked for so far is done. */
  settled(): Promise<void> {
    return this.#turns.ended();
  }

  shown(): CloudSettingsResponse {
    if (!this.#active) return { settings: null, source: null, persisted: this.#persisted };
    const { settings, source } = this.#active;
    const masked = secretNames.map((name) => [name, mask(settings[name])]);
    return { settings: { ...settings, ...Object.fromEntries(masked) }, source, persisted: this.#persisted };
  }

  /**
   * Stores settings and uses them from now on. A client that was shown a mask may send it back.
   *
   * @throws ScanError `invalid` for a mask of something else than what is stored, `storage`: nothing has changed then
   */
  replace(given: CloudSettings): Promise<CloudSettingsResponse> {
    return this.#turns.run(async () => {
      const current = this.#active?.settings;
      const settings = { ...given, host: withSlash(given.host) };
      for (const name of secretNames) {
        if (current && given[name] === mask(current[name])) settings[name] = current[name];
        else if (looksMasked(given[name])) {
          throw new ScanError(
            "invalid",
            `${name} ${given[name]} hides another one than the stored: enter it in full`,
          );
        }
      }
      await writeSettingsFile(this.#path, settings, ownerOnly);
      this.#active = { settings, source: "persistent" };
      this.#persisted = true;
      return this.shown();
    });
  }

  /** Forgets the settings, also those of the environment until the next start. */
  remove(): Promise<CloudSettingsResponse> {
    return this.#turns.run(async () => {
      try {
        await rm(this.#path, { force: true });
      } catch (cause) {
        throw new ScanError("storage", `${this.#path} could not be removed: ${reason(cause)}`, { cause });
      }
      this.#active = undefined;
      this.#persisted = false;
      return this.shown();
    });
  }

  get #path(): string {
    return join(this.#directory, FILE);
  }

  #fromEnvironment(): Active | undefined {
    if (!this.#environmentToken) return undefined;
    const settings = CloudSettings.parse({ token: this.#environmentToken });
    return { settings: { ...settings, host: withSlash(settings.host) }, source: "environment" };
  }

  async #read(): Promise<CloudSettings | undefined> {
    try {
      if (await unlessMissing(stat(this.#directory)))
        await removeUnfinishedWrites(this.#directory, this.#log);
      const found = await unlessMissing(stat(this.#path));
      this.#persisted = found !== undefined;
      if (!found) return undefined;
      // The older backend let everybody read it.
      if (found.mode & 0o077) await chmod(this.#path, ownerOnly);
      const { success, data, error } = CloudSettings.safeParse(
        JSON.parse(await readFile(this.#path, "utf8")),
      );
      if (!success) throw new Error(z.prettifyError(error));
      return { ...data, host: withSlash(data.host) };
    } catch (error) {
      // An error of JSON.parse quotes the file.
      const problem = error instanceof SyntaxError ? "it is not JSON" : reason(error);
      this.#log.error({ file: this.#path, problem }, "the cloud settings could not be read");
      return undefined;
    }
  }
}

/** Hides what these settings keep secret; the password that everybody has is none. */
export function maskingOf({ token, password }: CloudSettings): Masking {
  return masking(password === publicPassword ? [token] : [token, password]);
}

/** As the existing backend shows a host: with the path that it always has. */
function withSlash(host: string): string {
  return new URL(host).href;
}
