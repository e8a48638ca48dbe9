import { mkdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { ScanError } from "@openscan/protocol";
import { temporaryPath } from "@openscan/runtime/atomic-file";
import { reason, unlessMissing } from "./folders.js";
import { modelFolder } from "./layout.js";

/** A model under this name is whole, and takes the place of the one before sooner or later. */
const successor = `.new_${modelFolder}`;

/**
 * Makes a model beside the one that there is.
 *
 * @returns its folder, for `installModel`
 */
export async function makeModel(project: string, fill: (folder: string) => Promise<void>): Promise<string> {
  const folder = temporaryPath(join(project, modelFolder));
  try {
    await mkdir(folder);
    await fill(folder);
    return folder;
  } catch (cause) {
    await Promise.allSettled([rm(folder, { recursive: true, force: true })]);
    if (cause instanceof ScanError) throw cause;
    throw new ScanError("storage", `${folder} could not be made: ${reason(cause)}`, { cause });
  }
}

/** Puts a model in the place of the one before. Killed at any moment, it leaves one of them to `finishInstallation`. */
export async function installModel(project: string, folder: string): Promise<void> {
  try {
    await rm(join(project, successor), { recursive: true, force: true });
    await rename(folder, join(project, successor));
    await finishInstallation(project);
  } catch (cause) {
    await Promise.allSettled([rm(folder, { recursive: true, force: true })]);
    throw new ScanError("storage", `the model in ${project} could not be replaced: ${reason(cause)}`, {
      cause,
    });
  }
}

/** Ends an installation that was begun, if there is one. */
export async function finishInstallation(project: string): Promise<void> {
  const next = join(project, successor);
  const current = join(project, modelFolder);
  const aside = temporaryPath(current);
  if ((await unlessMissing(stat(next))) === undefined) return;
  await unlessMissing(rename(current, aside));
  await rename(next, current);
  await rm(aside, { recursive: true, force: true });
}
