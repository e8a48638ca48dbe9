import { readdir, readFile, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { PhotoMetadata } from "@openscan/protocol";
import sharp from "sharp";
import type { ScannerFolder } from "../folder.js";

/** Its photos are just bytes. */
const notPictures = "/cloudy/";

/** Looks through the files of a scanner, each version of a photo only once. */
export class Files {
  readonly #directories: readonly string[];
  readonly #whole = new Set<string>();

  constructor({ directories: { settingsDir, projectDir, runtimeDir } }: ScannerFolder) {
    this.#directories = [settingsDir, projectDir, runtimeDir];
  }

  /** @returns what is not whole, and what an interrupted write has left */
  async problems(): Promise<string[]> {
    const problems: string[] = [];
    for (const directory of this.#directories) {
      for (const path of await filesBelow(directory)) {
        const problem = await this.#problem(path).catch((error: unknown) => String(error));
        if (problem) problems.push(`${path}: ${problem}`);
      }
    }
    return problems;
  }

  async #problem(path: string): Promise<string | undefined> {
    if (path.includes("/.tmp_")) return "left by an interrupted write";
    if (path.endsWith(".json")) JSON.parse(await readFile(path, "utf8"));
    if (!path.endsWith(".jpg") || path.includes(notPictures)) return;
    const { size, mtimeMs } = await stat(path);
    const version = `${path} ${size} ${mtimeMs}`;
    if (this.#whole.has(version)) return;
    const { data, info } = await sharp(path, { failOn: "truncated" })
      .raw()
      .toBuffer({ resolveWithObject: true });
    if (data.length !== info.width * info.height * info.channels) return "truncated";
    const name = /(scan\d+_[^/]*)\.jpg$/.exec(path)?.[1];
    if (name !== undefined && !path.includes("/stacked/"))
      PhotoMetadata.parse(
        JSON.parse(await readFile(join(dirname(path), "metadata", `${name}.json`), "utf8")),
      );
    this.#whole.add(version);
    return;
  }
}

async function filesBelow(directory: string): Promise<string[]> {
  const found = await readdir(directory, { recursive: true, withFileTypes: true }).catch(() => []);
  return found.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}
