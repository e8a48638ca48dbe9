import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { ExternalTriggerRunPath, ScanError } from "@openscan/protocol";
import { writeFileAtomic } from "@openscan/runtime/atomic-file";
import { z } from "zod";
import { reason, unlessMissing } from "../projects/folders.js";

const PATH = "path.json";
/** What earlier versions of the existing backend called it. */
const MANIFEST = "manifest.json";
const PROGRESS = "progress.json";

const StoredPath = z.preprocess((json) => {
  if (typeof json !== "object" || json === null || !("run_id" in json)) return json;
  const { run_id, ...rest } = json;
  return { task_id: run_id, ...rest };
}, ExternalTriggerRunPath);
const Progress = z.object({ finished: z.int().min(0) });

/**
 * What is kept of runs, each in a folder named after its task: the path, which tells where the photos of the external
 * camera were taken, and how far the run has come. It stays when the task is removed.
 */
export class RunFiles {
  readonly #directory: string;

  /** @param directory `external-trigger-runs` below the runtime directory */
  constructor(directory: string) {
    this.#directory = directory;
  }

  /** @throws ScanError `not_found` for what is no id of a run */
  pathFile(id: string): string {
    return join(this.#folder(id), PATH);
  }

  /** @throws ScanError `not_found`; `invalid` for a damaged file */
  async path(id: string): Promise<ExternalTriggerRunPath> {
    const path = await this.findPath(id);
    if (path) return path;
    throw new ScanError("not_found", `run ${id} has no path`);
  }

  /** `undefined` before it has been planned. Errors as `path`. */
  async findPath(id: string): Promise<ExternalTriggerRunPath | undefined> {
    const folder = this.#folder(id);
    for (const name of [PATH, MANIFEST]) {
      const text = await unlessMissing(readFile(join(folder, name), "utf8"));
      if (text === undefined) continue;
      const parsed = StoredPath.safeParse(readable(text));
      if (parsed.success) return parsed.data;
      throw new ScanError("invalid", `the path of run ${id} is damaged: ${z.prettifyError(parsed.error)}`);
    }
    return undefined;
  }

  /** @throws ScanError `storage` */
  async savePath(path: ExternalTriggerRunPath): Promise<void> {
    await this.#write(path.task_id, PATH, path);
  }

  /** How many positions are finished; a file that cannot be read counts as none. */
  async finished(id: string): Promise<number> {
    const text = await unlessMissing(readFile(join(this.#folder(id), PROGRESS), "utf8"));
    return Progress.safeParse(readable(text ?? "")).data?.finished ?? 0;
  }

  /** @throws ScanError `storage` */
  async saveFinished(id: string, finished: number): Promise<void> {
    await this.#write(id, PROGRESS, { finished });
  }

  async #write(id: string, name: string, content: unknown): Promise<void> {
    const folder = this.#folder(id);
    try {
      await mkdir(folder, { recursive: true });
      await writeFileAtomic(join(folder, name), `${JSON.stringify(content, null, 2)}\n`);
    } catch (cause) {
      throw new ScanError("storage", `${join(folder, name)} could not be written: ${reason(cause)}`, {
        cause,
      });
    }
  }

  #folder(id: string): string {
    // An id comes from a client: nothing else may become a part of a path.
    if (z.uuid().safeParse(id).success) return join(this.#directory, id);
    throw new ScanError("not_found", `there is no external trigger run ${JSON.stringify(id)}`);
  }
}

function readable(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
