import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const created = "2026-01-02T03:04:05.000Z";

/**
 * A project as a server finds it when it starts, with one complete scan.
 *
 * @param {string} projectFolder
 * @param {string} name
 * @param {{ count: number, bytes: Uint8Array | string }} photos
 * @returns {string} the folder of the scan
 */
export function storeProject(projectFolder, name, { count, bytes }) {
  const folder = join(projectFolder, name, "scan01");
  mkdirSync(join(folder, "metadata"), { recursive: true });
  const photos = Array.from({ length: count }, (_, step) => `scan01_${String(step).padStart(3, "0")}.jpg`);
  for (const photo of photos) writeFileSync(join(folder, photo), bytes);
  const project = { name, path: folder, created, scans: {} };
  writeFileSync(join(projectFolder, name, "openscan_project.json"), JSON.stringify(project));
  const scan = {
    project_name: name,
    index: 1,
    created,
    last_updated: created,
    status: "completed",
    settings: { points: count },
    camera_settings: {},
    photos,
  };
  writeFileSync(join(folder, "scan.json"), JSON.stringify(scan));
  return folder;
}
