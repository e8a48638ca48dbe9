import { readFile, realpath, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import type { Clock, Logger } from "@openscan/runtime";
import { removeUnfinishedWrites } from "@openscan/runtime/atomic-file";
import { decodeProject, encodeProject, type ProjectFields } from "./encoding.js";
import { entries, reason, unlessMissing } from "./folders.js";
import { projectFile, scanIndexOf } from "./layout.js";
import { loadScan } from "./load-scan.js";
import { finishInstallation } from "./model-folder.js";
import { ProjectFolder } from "./project-folder.js";
import type { ScanFolder } from "./scan-folder.js";

interface Environment {
  readonly clock: Clock;
  readonly log: Logger;
}

/** Reads a project, named as its folder is; `undefined` when the folder holds none. */
export async function loadProject(
  folder: string,
  environment: Environment,
): Promise<ProjectFolder | undefined> {
  const file = join(folder, projectFile);
  const found = await unlessMissing(stat(file));
  if (!found?.isFile()) return undefined;

  const path = await realpath(folder);
  await removeUnfinishedWrites(path, environment.log);
  await finishInstallation(path).catch((err: unknown) =>
    environment.log.error({ err, path }, "a downloaded model could not be put in its place"),
  );
  const name = basename(folder).normalize("NFC");
  const scans = await loadScans(path, name, environment);
  const options = { scans, ...environment };
  try {
    const json: unknown = JSON.parse(await readFile(file, "utf8"));
    const fields = { ...decodeProject(json), name, path };
    const current = encodeProject(
      fields,
      scans.map(({ scan }) => scan),
    );
    const stale = !isDeepStrictEqual(json, JSON.parse(current));
    return new ProjectFolder({ ...options, fields, stale });
  } catch (err) {
    environment.log.error({ err, file }, "a project is unreadable and is kept as it is");
    const fields = blankFields(name, path, found.mtime.toISOString());
    return new ProjectFolder({ ...options, fields, stale: false, trouble: reason(err) });
  }
}

async function loadScans(path: string, project: string, environment: Environment): Promise<ScanFolder[]> {
  const scans: ScanFolder[] = [];
  for (const entry of await entries(path)) {
    const index = scanIndexOf(entry.name);
    if (index === undefined || !entry.isDirectory()) continue;
    const scan = await loadScan(join(path, entry.name), { project, index }, environment);
    if (scan) scans.push(scan);
  }
  return scans;
}

function blankFields(name: string, path: string, created: string): ProjectFields {
  return {
    name,
    path,
    created,
    description: null,
    uploaded: false,
    cloud_project_name: null,
    downloaded: false,
  };
}
