import { readFile, stat } from "node:fs/promises";
import { z } from "zod";
import { unlessMissing } from "./folders.js";

const Row = z.tuple([z.number(), z.number(), z.number()]).readonly();

/** How the photos of a scan's focus stacks lie to each other: the file beside the stacked ones. */
export const StackingCalibration = z.object({
  project: z.string(),
  scan_index: z.int(),
  transforms: z
    .array(z.tuple([Row, Row]).readonly())
    .readonly()
    .describe("for each focus position, where points of the middle photo are in it: rows of a 2x3 matrix"),
});
export type StackingCalibration = z.output<typeof StackingCalibration>;

/** `undefined` when there is none or it is unreadable: it can be found anew. */
export async function readCalibration(
  path: string,
): Promise<{ readonly calibration: StackingCalibration; readonly writtenMs: number } | undefined> {
  const text = await unlessMissing(readFile(path, "utf8"));
  if (text === undefined) return undefined;
  const { mtimeMs } = await stat(path);
  try {
    return { calibration: StackingCalibration.parse(JSON.parse(text)), writtenMs: mtimeMs };
  } catch {
    return undefined;
  }
}
