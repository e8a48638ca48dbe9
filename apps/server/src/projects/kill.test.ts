import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { PhotoMetadata } from "@openscan/protocol";
import { workerUrl } from "@openscan/runtime";
import { FakeClock, recordingLogger } from "@openscan/runtime/testing";
import { expect, test } from "vitest";
import { folderSize, temporaryFolder } from "../tasks/testing.js";
import { capturedSteps, leadingCaptured, metadataName, photoSlot, scanFolderName } from "./layout.js";
import { ProjectStore } from "./project-store.js";

const POINTS = 3;
const PHOTO_BYTES = 60_000;

/**
 * A process that saves photos for ever, two at a time as a scan does, and says what it has saved. Each photo's bytes
 * all are its step, so that a truncated or mixed one is seen.
 */
const scanner = `
const [url, directory] = process.argv.slice(1);
const { ProjectStore } = await import(url);
const { systemClock: clock, silentLogger: log } = await import("@openscan/runtime");
const { CameraSettings, ScanSettings } = await import("@openscan/protocol");
const store = new ProjectStore({ directory, clock, log });
await store.load();
const camera_settings = CameraSettings.parse({});
const polar = { theta: 90, fi: 0, r: 1 };
const cartesian = { x: 1, y: 0, z: 0 };
await store.create("Vase", null);
console.log("created");
for (let index = 1; ; index++) {
  await store.createScan("Vase", { settings: ScanSettings.parse({ points: ${POINTS} }), camera_name: "front", camera_settings, description: null });
  await store.updateScan("Vase", index, () => ({ status: "running", task_id: "task" }));
  const points = Array.from({ length: ${POINTS} }, (_, execution_step) => ({ execution_step, original_step: ${POINTS} - 1 - execution_step, polar, cartesian }));
  await store.savePath("Vase", index, { project_name: "Vase", scan_index: index, generated: "2026-01-01T00:00:00Z", points });
  let before = Promise.resolve();
  for (const { original_step: step } of points) {
    const file = "scan" + String(index).padStart(2, "0") + "_" + String(step).padStart(3, "0") + ".jpg";
    const metadata = {
      format: "jpeg",
      camera_metadata: { camera_name: "front", camera_settings, raw_metadata: {} },
      scan_metadata: { step, polar_coordinates: polar, project_name: "Vase", scan_index: index, stack_index: null, cart_coordinates: cartesian },
    };
    const save = store.savePhoto("Vase", index, { file, bytes: new Uint8Array(${PHOTO_BYTES}).fill(step), metadata, seconds: 1 })
      .then(() => console.log(index + " " + file));
    await before;
    before = save;
  }
  await before;
}
`;

/** Runs the process and kills it as soon as it has said `lines` lines; resolves with what it said in all. */
async function killAfter(lines: number, directory: string): Promise<string[]> {
  const args = [
    "--input-type=module",
    "-e",
    scanner,
    workerUrl(import.meta.url, "./project-store.js").href,
    directory,
  ];
  const child = spawn(process.execPath, args, {
    cwd: fileURLToPath(new URL("../..", import.meta.url)),
    stdio: ["ignore", "pipe", "inherit"],
  });
  const said: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    said.push(line);
    if (said.length === lines) child.kill("SIGKILL");
  }
  if (child.signalCode === null && child.exitCode === null) await once(child, "exit");
  expect(child.signalCode).toBe("SIGKILL");
  return said;
}

test.each([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])(
  "killed after it said %i things: nothing that was saved is missing, doubled or truncated",
  async (lines) => {
    const directory = await temporaryFolder();
    const [, ...saved] = await killAfter(lines, directory);
    const log = recordingLogger();
    const store = new ProjectStore({ directory, clock: new FakeClock(), log });
    await store.load();
    expect(log.lines).toEqual([]);

    const project = store.get("Vase");
    const listed = Object.values(project.scans).flatMap(({ index, photos }) =>
      photos.map((file) => `${index} ${file}`),
    );
    expect(listed).toEqual(expect.arrayContaining(saved));
    expect(new Set(listed).size).toBe(listed.length);
    for (const scan of Object.values(project.scans)) {
      const folder = join(project.path, scanFolderName(scan.index));
      for (const file of scan.photos) {
        const step = photoSlot(file)?.step ?? -1;
        expect(Buffer.alloc(PHOTO_BYTES, step).equals(await readFile(join(folder, file)))).toBe(true);
        const metadata = PhotoMetadata.parse(
          JSON.parse(await readFile(join(folder, metadataName(file)), "utf8")),
        );
        expect(metadata.scan_metadata?.step).toBe(step);
      }
      const path = await store.findPath("Vase", scan.index);
      const order = path?.points.map((point) => point.original_step) ?? [];
      expect(scan.current_step).toBe(leadingCaptured(order, capturedSteps(scan.photos, 1)));
      expect(scan.status).toBe(scan.photos.length === POINTS ? "completed" : "interrupted");
      expect(scan.total_size_bytes).toBe(await folderSize(folder));
      expect(JSON.parse(await readFile(join(folder, "scan.json"), "utf8"))).toEqual(scan);
    }
    const leftovers = (await readdir(directory, { recursive: true })).filter((name) =>
      name.includes(".tmp_"),
    );
    expect(leftovers).toEqual([]);
  },
);
