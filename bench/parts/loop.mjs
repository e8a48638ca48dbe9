import { mkdtempSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { atMost } from "../goals.mjs";
import { Samples } from "../samples.mjs";
import { ScannerProcess } from "../scanner-process.mjs";

const camera = "simulated_camera";
const photo_resolution = [640, 480];
const viewers = 3;
const fps = 10;

export const loop = {
  title: `Delay of the event loop: a scan with focus stacks, while another is stacked and ${viewers} watch the preview`,
  peerNames: [],
  measure,
};

async function measure({ rounds, quick, progress, workFolder }) {
  const settings = { points: quick ? 3 : 12, focus_stacks: 3 };
  const scanner = await ScannerProcess.start(mkdtempSync(join(workFolder, "scanner-")));
  const samples = new Samples();
  try {
    await scanner.call("PATCH", `/latest/cameras/${camera}/settings`, { photo_resolution });
    await scanner.call("POST", "/latest/projects/bench");
    progress("a scan to be stacked");
    const { scan } = await scanner.scan("bench", camera, settings);
    await scanner.loopDelays();
    await sleep(2000);
    samples.add("idle", await scanner.loopDelays());
    for (let round = 1; round <= rounds; round++) {
      progress(`scan, stacking and viewers, round ${round} of ${rounds}`);
      samples.add("busy", await busy(scanner, settings, scan.index));
    }
  } finally {
    await scanner.stop();
  }
  return report(samples);
}

async function busy(scanner, settings, index) {
  const leaving = new AbortController();
  const watched = Array.from({ length: viewers }, () => watch(scanner, leaving.signal));
  await sleep(1000);
  await scanner.loopDelays();
  const stacking = await stack(scanner, index);
  // The figures are of everything since they were read last, so nobody else may read them meanwhile.
  const path = `/latest/projects/bench/scan?camera_name=${camera}`;
  const { body: task } = await scanner.call("POST", path, settings);
  await scanner.ended(task.id);
  const delays = await scanner.loopDelays();
  leaving.abort();
  const frames = (await Promise.all(watched)).reduce((sum, count) => sum + count, 0);
  const stacked = stacking ? (await scanner.ended(stacking.id)).status : "not offered";
  return { ...delays, frames, stacked };
}

/** A task that stacks the photos of a scan; undefined when this server has none. */
async function stack(scanner, index) {
  const path = `/latest/projects/bench/scans/${index}/focus-stacking/start`;
  return scanner.call("POST", path).then(
    ({ body }) => body,
    () => undefined,
  );
}

/** Reads a preview as a browser does; resolves with the number of its frames. */
async function watch(scanner, signal) {
  let frames = 0;
  try {
    const url = `${scanner.url}/latest/cameras/${camera}/preview?mode=stream&fps=${fps}`;
    const { body } = await fetch(url, { signal });
    for await (const chunk of body)
      frames += Buffer.from(chunk).toString("latin1").split("--frame").length - 1;
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  return frames;
}

function report(samples) {
  const row = (name) => ({
    scanner: name,
    "p50 ms": samples.median(name, ({ p50 }) => p50),
    "p99 ms": samples.median(name, ({ p99 }) => p99),
    "max ms": samples.median(name, ({ max }) => max),
  });
  const [{ stacked }] = samples.of("busy");
  return {
    rows: [row("idle"), row("busy")],
    goals: [
      atMost(
        "loop: p99 delay during a scan with stacking and three viewers, ms",
        samples.median("busy", ({ p99 }) => p99),
        25,
      ),
    ],
    notes: [
      "What /metrics tells, less the 10 ms between two looks at the clock.",
      `${samples.median("busy", ({ frames }) => frames)} frames of the preview were sent; the other scan's stacking: ${stacked}. Photos have ${photo_resolution.join(" x ")} pixels, rendered on threads of their own.`,
    ],
  };
}
