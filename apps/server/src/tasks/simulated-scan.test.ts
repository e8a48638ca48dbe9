import { join } from "node:path";
import { Device } from "@openscan/hardware";
import { DeviceConfiguration, PhotoMetadata, ScanSettings } from "@openscan/protocol";
import { systemClock } from "@openscan/runtime";
import { recordingLogger } from "@openscan/runtime/testing";
import { TaskManager } from "@openscan/tasks";
import { MemoryTaskStore } from "@openscan/tasks/testing";
import { readFile } from "node:fs/promises";
import sharp from "sharp";
import { expect, onTestFinished, test } from "vitest";
import { metadataName } from "../projects/layout.js";
import { ProjectStore } from "../projects/project-store.js";
import { Scans } from "../projects/scans.js";
import { followScanTasks } from "./scan-status.js";
import { scanTask } from "./scan-task.js";
import { temporaryFolder } from "./testing.js";

const fastMotor = {
  direction_pin: 1,
  enable_pin: 2,
  step_pin: 3,
  acceleration: 80_000,
  max_speed: 7500,
  steps_per_rotation: 400,
  driver: "simulated",
};

/** A real device with simulated drivers, and everything that a scan needs. */
async function scanner() {
  const log = recordingLogger();
  const clock = systemClock;
  const device = new Device({ clock, log });
  onTestFinished(() => device.close());
  await device.initialize(
    DeviceConfiguration.parse({
      name: "test",
      cameras: {
        front: {
          type: "picamera2",
          path: "simulated",
          driver: { kind: "simulated", depth_blur: false },
          settings: { photo_resolution: [64, 48], AF: null },
        },
      },
      motors: { rotor: { ...fastMotor, max_angle: 145 }, turntable: fastMotor },
      scan_radius_mm: 110,
    }),
  );
  const store = new ProjectStore({ directory: await temporaryFolder(), clock, log });
  await store.load();
  let ids = 0;
  const types = [scanTask({ device, store })];
  const tasks = new TaskManager({
    types,
    store: new MemoryTaskStore(),
    clock,
    log,
    newId: () => `task-${++ids}`,
  });
  const following = followScanTasks(tasks.events, store, log);
  onTestFinished(async () => {
    await tasks.close();
    await following.settled();
    await store.close();
  });
  await store.create("Vase", null);
  const scans = new Scans({ device, store, tasks });
  const start = (settings: Partial<ScanSettings>) =>
    scans.start("Vase", { settings: ScanSettings.parse(settings), camera_name: "front", description: null });
  return { device, store, tasks, scans, start, log };
}

test("a scan with focus stacks on the simulated device", { timeout: 60_000 }, async () => {
  const { device, store, tasks, start, log } = await scanner();
  const before = device.camera("front").settings.get();
  const { id } = await start({ points: 3, focus_stacks: 2 });
  expect(await tasks.ended(id)).toMatchObject({ status: "completed", progress: { current: 3, total: 3 } });
  const { photos, status } = store.scan("Vase", 1);
  expect({ status, photos: photos.length }).toEqual({ status: "completed", photos: 6 });
  for (const photo of photos) {
    const file = await store.photoFile("Vase", 1, photo);
    expect(await sharp(file).metadata()).toMatchObject({ format: "jpeg" });
    const metadata = PhotoMetadata.parse(
      JSON.parse(await readFile(await store.photoFile("Vase", 1, metadataName(photo)), "utf8")),
    );
    const planned = metadata.scan_metadata?.polar_coordinates;
    const { theta, fi } = metadata.camera_metadata.raw_metadata["actual_position"] as {
      theta: number;
      fi: number;
    };
    expect(Math.abs(theta - (planned?.theta ?? 0))).toBeLessThan(1);
    expect(Math.abs(fi - (planned?.fi ?? 0)) % 360).toBeLessThan(1);
    expect(metadata.camera_metadata.camera_settings).toMatchObject({
      AF: false,
      manual_focus: metadata.scan_metadata?.stack_index ? 15 : 10,
    });
  }
  expect(await sharp(join(store.get("Vase").path, "thumbnail.jpg")).metadata()).toMatchObject({
    format: "jpeg",
  });
  expect(device.camera("front").settings.get()).toEqual(before);
  expect(device.motor("rotor").status().angle).toBeCloseTo(90, 0);
  expect(log.lines).toEqual([]);
});

test("defect 24: a cancel stops the motors, which then return to rest", { timeout: 60_000 }, async () => {
  const { device, tasks, start, log } = await scanner();
  const { id } = await start({ points: 5 });
  await new Promise<void>((resolve) => {
    const undo = device.changes.on(() => {
      if (!device.motor("turntable").busy) return;
      undo();
      resolve();
    });
  });
  tasks.cancel(id);
  expect(await tasks.ended(id)).toMatchObject({ status: "cancelled" });
  expect(device.motor("turntable").busy).toBe(false);
  expect(device.motor("rotor").status().angle).toBeCloseTo(90, 0);
  expect(device.motor("turntable").status().angle).toBeCloseTo(90, 0);
  expect(log.lines).toEqual([]);
});

test("defect 25: the device's limits are checked before anything is stored", async () => {
  const { store, start } = await scanner();
  await expect(start({ max_theta: 160 })).rejects.toMatchObject({
    code: "out_of_range",
    message: expect.stringMatching(/^position 1 of 130: rotor cannot be at 160/),
  });
  expect(store.get("Vase").scans).toEqual({});
});
