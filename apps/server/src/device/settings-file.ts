import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { ScanError } from "@openscan/protocol";
import { writeFileAtomic } from "@openscan/runtime/atomic-file";
import { reason } from "../projects/folders.js";

/**
 * Replaces a settings file as a whole, indented as the existing backend does it.
 *
 * @param mode as `writeFileAtomic` takes it
 * @throws ScanError `storage`: the old file is untouched then
 */
export async function writeSettingsFile(path: string, settings: unknown, mode?: number): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFileAtomic(path, `${JSON.stringify(settings, null, 4)}\n`, mode);
  } catch (cause) {
    throw new ScanError("storage", `${path} could not be written: ${reason(cause)}`, { cause });
  }
}
