import { fork } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { atMost } from "../goals.mjs";
import { Samples } from "../samples.mjs";
import { ScannerProcess } from "../scanner-process.mjs";
import { soon } from "../soon.mjs";
import { median, quantile } from "../statistics.mjs";

const audience = { healthy: 100, slow: 5, stalled: 5 };
const camera = "simulated_camera";
/** Small photos: the simulated camera's renderer would otherwise use the processors that are to be measured. */
const photo_resolution = [320, 240];
/** A scan alone says too little to fill a stalled viewer's buffers: before it and meanwhile, a light is switched. */
const switchEveryMs = 5;
const stalledBytes = 100_000;
const closedSlow = 'openscan_forced_closes_total{reason="slow"}';

export const scan = {
  title: "A scan with the real server: alone, and with 100 healthy, 5 slow and 5 stalled viewers",
  peerNames: [],
  measure,
};

async function measure({ rounds, quick, progress, workFolder }) {
  const settings = { points: quick ? 8 : 40 };
  const scanner = await ScannerProcess.start(mkdtempSync(join(workFolder, "scanner-")));
  const samples = new Samples();
  try {
    await scanner.call("PATCH", `/latest/cameras/${camera}/settings`, { photo_resolution });
    await scanner.call("POST", "/latest/projects/bench");
    await scanner.scan("bench", camera, { points: 3 });
    for (let round = 1; round <= rounds; round++) {
      progress(`alone, round ${round} of ${rounds}`);
      samples.add("alone", await scanOnce(scanner, settings));
      progress(`watched, round ${round} of ${rounds}`);
      samples.add("watched", await scanWatched(scanner, settings));
    }
  } finally {
    await scanner.stop();
  }
  return report(samples);
}

async function scanOnce(scanner, settings, beforeScan = async () => {}) {
  const switching = new AbortController();
  const switched = switchLight(scanner, switching.signal);
  try {
    await beforeScan();
    return await scanner.scan("bench", camera, settings);
  } finally {
    switching.abort();
    await switched;
  }
}

async function switchLight(scanner, signal) {
  const { body: lights } = await scanner.call("GET", "/latest/lights/");
  const toggle = `/latest/lights/${encodeURIComponent(Object.keys(lights)[0])}/toggle`;
  while (!signal.aborted) {
    await scanner.call("PATCH", toggle);
    await sleep(switchEveryMs);
  }
}

/** Until then, the kernel takes everything, and nobody can tell a stalled viewer from a healthy one. */
async function untilViewersStall(scanner) {
  while ((await scanner.metric("openscan_queue_bytes")) < stalledBytes) await sleep(200);
}

async function scanWatched(scanner, settings) {
  const viewers = fork(new URL("../clients/scan-viewers.mjs", import.meta.url));
  try {
    viewers.send({ port: scanner.port, ...audience });
    await next(viewers, "ready");
    const closedBefore = await scanner.metric(closedSlow);
    const { scan, steps } = await scanOnce(scanner, settings, () => untilViewersStall(scanner));
    viewers.send({ upTo: { device: await scanner.seq("device/info"), tasks: await scanner.seq("tasks/") } });
    const { missed, problems, facts } = await next(viewers, "facts");
    const photos = scan.photos.map((file) => `photo.captured ${file}`);
    const expected = ["task.update pending", ...photos, "task.update completed"];
    const misled = facts.filter((seen) => !isDeepStrictEqual(seen, expected)).length;
    if (problems.length > 0) throw new Error(problems.join("\n"));
    return { steps, missed, misled, closed: (await scanner.metric(closedSlow)) - closedBefore };
  } finally {
    viewers.disconnect();
  }
}

/** The next message of a child that has `key`. */
async function next(child, key) {
  const message = new Promise((resolve, reject) => {
    child.on("message", (received) => received[key] !== undefined && resolve(received));
    child.on("exit", (code) => reject(new Error(`the viewers ended with ${code}`)));
  });
  return soon(message, `viewers: ${key}`);
}

function report(samples) {
  const middle = ({ steps }) => median(steps);
  const sum = (value) => samples.of("watched").reduce((total, sample) => total + value(sample), 0);
  const stalled = samples.of("watched").length * audience.stalled;
  return {
    rows: [
      ["alone", "alone"],
      [`${audience.healthy} healthy, ${audience.slow} slow, ${audience.stalled} stalled`, "watched"],
    ].map(([viewers, name]) => {
      const steps = samples.of(name).flatMap(({ steps }) => steps);
      return {
        viewers,
        steps: steps.length,
        "p10 s": quantile(steps, 0.1),
        "median s": median(steps),
        "p90 s": quantile(steps, 0.9),
      };
    }),
    goals: [
      atMost("scan: median step, watched x alone", samples.ratio("watched", "alone", middle), 1.05),
      atMost(
        "scan: events that healthy viewers missed",
        sum(({ missed }) => missed),
        0,
      ),
      atMost(
        "scan: healthy viewers without every fact, in order",
        sum(({ misled }) => misled),
        0,
      ),
    ],
    notes: [
      `${sum(({ closed }) => closed)} viewers were closed as too slow; ${stalled} had stalled before the scan began.`,
      `A light was switched every ${switchEveryMs} ms in all scans; photos have ${photo_resolution.join(" x ")} pixels; viewers have the lowest priority.`,
    ],
  };
}
