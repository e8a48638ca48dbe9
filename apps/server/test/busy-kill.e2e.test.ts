import { setTimeout as sleep } from "node:timers/promises";
import type { Project } from "@openscan/protocol";
import { silentLogger, systemClock } from "@openscan/runtime";
import { expect, onTestFinished, test } from "vitest";
import { ProjectStore } from "../src/projects/project-store.js";
import type { Actor, Reported } from "./support/busy/actor.js";
import { Files } from "./support/busy/files.js";
import { ProjectActor } from "./support/busy/project-actor.js";
import { ScanActor } from "./support/busy/scan-actor.js";
import { SettingsActor } from "./support/busy/settings-actor.js";
import { addFocusProject, StackingActor } from "./support/busy/stacking-actor.js";
import { UploadActor } from "./support/busy/upload-actor.js";
import { FakeCloud } from "./support/cloud.js";
import { addPhotos } from "./support/cloud-bench.js";
import { launchServer, spawnServer } from "./support/child.js";
import { randomNumbers } from "./support/continuity/random-numbers.js";
import { createFolder, quickConfiguration, type ScannerFolder } from "./support/folder.js";

const seed = Number(process.env["OPENSCAN_SEED"] ?? Math.floor(Math.random() * 1e9));
/** Scanners that are used and killed at the same time: most of a start is waiting for one core. */
const scanners = 3;
const kills = Number(process.env["OPENSCAN_KILLS"] ?? 50);
/** Of so many kills one comes while the server starts. */
const startsKilled = 5;

test(`defect 28: killed at ${kills} random moments, seed ${seed}, a busy server loses nothing that it reported done`, async () => {
  const perScanner = Array.from({ length: scanners }, (_, index) => Math.floor((kills + index) / scanners));
  expect(perScanner.reduce((sum, count) => sum + count, 0)).toBe(kills);
  const lives = perScanner.map((count, index) => killedScanner(count, seed + index));
  // When one fails, the others must not start servers that nobody kills any more.
  await Promise.allSettled(lives);
  const done = await Promise.all(lives);
  // It was busy indeed, and kills have met sets of stacked photos that were begun.
  expect(done.reduce((sum, { photos }) => sum + photos, 0)).toBeGreaterThan(kills);
  if (kills >= 20) expect(done.reduce((sum, { continued }) => sum + continued, 0)).toBeGreaterThan(0);
}, 240_000);

/** One scanner in the hands of all the actors, killed so many times. Resolves with what it has done meanwhile. */
async function killedScanner(
  count: number,
  seed: number,
): Promise<{ readonly photos: number; readonly continued: number }> {
  const random = randomNumbers(seed);
  const folder = await createFolder(await busyConfiguration());
  onTestFinished(() => folder.remove());
  const files = new Files(folder);
  let reported: Reported = () => {};
  const report = () => reported();
  const scans = new ScanActor(report);
  const cloudyPhotos = await storedProjects(folder);
  const uploads = new UploadActor(await FakeCloud.start(), cloudyPhotos, report);
  let stackReported: Reported = () => {};
  const stackings = new StackingActor(folder.directories.projectDir, () => {
    report();
    stackReported();
  });
  const others = [new SettingsActor(report), new ProjectActor(report)];
  const actors: readonly Actor[] = [scans, uploads, stackings, ...others];
  for (let kill = 0; kill < count; kill++) {
    if (kill % startsKilled === startsKilled - 1) {
      const { process, ready } = launchServer(folder);
      await Promise.race([sleep(random() * 1500), ready.catch(() => {})]);
      process.kill("SIGKILL");
      await ready.catch(() => {});
      continue;
    }
    const server = await spawnServer(folder);
    for (const actor of actors) await actor.verify(server.api);
    expect(await files.problems()).toEqual([]);
    const gone = new AbortController();
    const work = Promise.all(actors.map((actor) => actor.work(server.api, gone.signal)));
    // Every other kill comes in the moment in which something was reported done: the hardest one for whoever reports it.
    await Promise.race([sleep(random() * 600), work]);
    if (kill % 2 === 0) {
      const next = new Promise<void>((resolve) => {
        // Of the stacks, which are rarer than everything else, the kill would hardly ever meet the moment.
        if (kill % 4 === 2) stackReported = resolve;
        else reported = resolve;
      });
      await Promise.race([next, work]);
    }
    const stopped = server.stop("SIGKILL");
    gone.abort();
    await Promise.all([stopped, work]);
  }
  const server = await spawnServer(folder);
  for (const actor of actors) await actor.verify(server.api);
  const lastActs = [
    scans.scanOnce(server.api),
    uploads.uploadOnce(server.api),
    stackings.stackOnce(server.api),
  ];
  await Promise.all(lastActs);
  for (const actor of actors) await actor.verify(server.api);
  const { body } = await server.api.call<Record<string, Project>>("GET", "/latest/projects/");
  const statuses = Object.values(body["vase"]?.scans ?? {}).map(({ status }) => status);
  expect(statuses.filter((status) => status !== "completed")).toEqual([]);
  expect(await server.stop("SIGTERM")).toBe(0);
  expect(await files.problems()).toEqual([]);
  expect(uploads.uploads).toBeGreaterThan(0);
  return { photos: scans.photos.size, continued: stackings.continued };
}

/** A project to be uploaded and one to be stacked; resolves with the photos of the first. */
async function storedProjects({ directories: { projectDir } }: ScannerFolder): Promise<Map<string, string>> {
  const store = new ProjectStore({ directory: projectDir, clock: systemClock, log: silentLogger });
  await store.load();
  const photos = await addPhotos(store, "cloudy", { count: 6, bytes: 30_000 });
  await addFocusProject(store);
  await store.close();
  return photos;
}

/** Motors and camera as quick as they can be: the files are what is tested. */
async function busyConfiguration() {
  const configuration = await quickConfiguration();
  for (const motor of Object.values(configuration.motors)) Object.assign(motor, { steps_per_rotation: 400 });
  for (const camera of Object.values(configuration.cameras))
    Object.assign(camera.settings, { photo_resolution: [160, 120], preview_resolution: [80, 60] });
  return configuration;
}
