import { stat } from "node:fs/promises";
import { join } from "node:path";
import type { PhotoStack } from "../tasks/photo-stacks.js";
import { unlessMissing } from "./folders.js";
import { calibrationName, stackedName } from "./layout.js";
import { readCalibration, type StackingCalibration } from "./stacking-calibration.js";

/** The stacked photos of a scan that belong together: all of them were made with one calibration. */
export interface StackedSet {
  readonly transforms: StackingCalibration["transforms"];
  /** Stacks whose photo is still to be made; empty when the set is whole. */
  readonly missing: readonly PhotoStack[];
}

/**
 * The set that was begun last, however it ended; `undefined` when there is none, or one for other photos than these.
 *
 * @param folder the scan's
 * @param stacks all the whole ones of the scan
 */
export async function readStackedSet(
  folder: string,
  index: number,
  stacks: readonly PhotoStack[],
): Promise<StackedSet | undefined> {
  const found = await readCalibration(join(folder, calibrationName(index)));
  if (!found || found.calibration.transforms.length !== stacks[0]?.photos.length) return undefined;
  const isFresh = async (file: string) => (await modifiedMs(join(folder, file))) >= found.writtenMs;
  for (const photo of stacks.flatMap(({ photos }) => photos)) if (await isFresh(photo)) return undefined;
  const missing: PhotoStack[] = [];
  for (const stack of stacks) if (!(await isFresh(stackedName(index, stack.step)))) missing.push(stack);
  return { transforms: found.calibration.transforms, missing };
}

/** Before everything when there is no such file, or nothing in it. */
async function modifiedMs(path: string): Promise<number> {
  const found = await unlessMissing(stat(path));
  return found && found.size > 0 ? found.mtimeMs : -1;
}
