import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { polarToCartesian } from "@openscan/paths";
import { CameraSettings, type PhotoMetadata, ScanSettings } from "@openscan/protocol";

export interface StoredScan {
  /** Names of the photos, of which each holds its own name. */
  readonly photos: readonly string[];
  readonly rawMetadata?: Record<string, unknown>;
}

const created = "2026-01-02T03:04:05.000Z";
const camera_settings = CameraSettings.parse({ orientation_flag: 1 });

/** A project as a server finds it when it starts: complete scans, numbered from 1. */
export async function storeProject(
  projectDir: string,
  name: string,
  scans: readonly StoredScan[],
): Promise<void> {
  const folder = join(projectDir, name);
  await mkdir(folder, { recursive: true });
  const project = {
    name,
    path: folder,
    created,
    description: null,
    uploaded: false,
    downloaded: false,
    scans: {},
  };
  await writeFile(join(folder, "openscan_project.json"), JSON.stringify(project));
  await writeFile(join(folder, "thumbnail.jpg"), "thumbnail");
  for (const [place, { photos, rawMetadata = {} }] of scans.entries()) {
    const index = place + 1;
    const scanFolder = join(folder, `scan${String(index).padStart(2, "0")}`);
    await mkdir(join(scanFolder, "metadata"), { recursive: true });
    await mkdir(join(scanFolder, "stacked"));
    const scan = {
      project_name: name,
      index,
      created,
      last_updated: created,
      status: "completed",
      settings: ScanSettings.parse({ points: photos.length || 1 }),
      camera_name: "simulated_camera",
      camera_settings,
      photos,
    };
    await writeFile(join(scanFolder, "scan.json"), JSON.stringify(scan));
    const originals = photos.filter((photo) => !photo.startsWith("stacked/"));
    for (const photo of photos) await writeFile(join(scanFolder, photo), photo);
    for (const photo of originals) {
      const [, step, stack] = /_(\d+)(?:_fs(\d+))?\./.exec(photo) ?? [];
      const polar_coordinates = { theta: 60 + Number(step), fi: 30 * Number(step), r: 110 };
      const metadata: PhotoMetadata = {
        format: "jpeg",
        camera_metadata: { camera_name: "simulated_camera", camera_settings, raw_metadata: rawMetadata },
        scan_metadata: {
          step: Number(step),
          polar_coordinates,
          project_name: name,
          scan_index: index,
          stack_index: stack === undefined ? null : Number(stack),
          cart_coordinates: polarToCartesian(polar_coordinates),
        },
      };
      const file = `${photo.replace(/\.\w+$/, "")}.json`;
      await writeFile(join(scanFolder, "metadata", file), JSON.stringify(metadata));
    }
  }
}
