import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { atMost } from "../goals.mjs";
import { Samples } from "../samples.mjs";
import { median, quantile } from "../statistics.mjs";

const program = (name) => fileURLToPath(new URL(`../servers/${name}.mjs`, import.meta.url));
const server = program("scan-without-hardware");
const plain = program("plain-photos");
const run = promisify(execFile);
/** A file system without a disk, where there is one. */
const memory = "/dev/shm";
/** Photos around the one that is asked for. */
const reach = 10;

export const photo = {
  title: "What a photo costs the server itself, early and late in a long scan; and the path of that scan",
  peerNames: ["plain writes"],
  measure,
};

async function measure({ rounds, quick, progress, workFolder }) {
  const points = quick ? 120 : 999;
  const [early, late] = [10, quick ? 100 : 900];
  const disk = { disk: [workFolder, server], "disk, plain writes": [workFolder, plain] };
  const places = { ...disk, ...(existsSync(memory) ? { memory: [memory, server] } : {}) };
  const samples = new Samples();
  for (let round = 1; round <= rounds; round++) {
    for (const [place, [parent, program]] of Object.entries(places)) {
      progress(`${points} photos, ${place}, round ${round} of ${rounds}`);
      const folder = mkdtempSync(join(parent, "openscan-photos-"));
      try {
        const { stdout } = await run(process.execPath, [program, folder, String(points)], { maxBuffer: 1e8 });
        samples.add(place, JSON.parse(stdout));
      } finally {
        rmSync(folder, { recursive: true });
      }
    }
  }
  return report(samples, { points, early, late, places: Object.keys(places) });
}

function report(samples, { points, early, late, places }) {
  const around = (photo, figures) => figures.slice(photo - reach, photo + reach);
  const growth = (place, figure) =>
    samples.median(
      place,
      ({ [figure]: figures }) => median(around(late, figures)) / median(around(early, figures)),
    );
  const row = (place, photo) => {
    const all = (figure) => samples.of(place).flatMap((sample) => around(photo, sample[figure]));
    return {
      "files in": place,
      photo,
      "median ms": median(all("photoMs")),
      "p90 ms": quantile(all("photoMs"), 0.9),
      "median ms of CPU": median(all("cpuMs")),
    };
  };
  return {
    rows: places.flatMap((place) =>
      [early, Math.round((early + late) / 2), late].map((photo) => row(place, photo)),
    ),
    goals: [
      atMost(
        `photo: overhead at photo ${late} x at photo ${early}, by that of plain writes to the same disk`,
        growth("disk", "photoMs") / growth("disk, plain writes", "photoMs"),
        1.2,
      ),
      atMost(
        `photo: overhead at photo ${late} x at photo ${early}, files in memory`,
        growth("memory", "photoMs"),
        1.2,
      ),
      atMost(
        `photo: CPU at photo ${late} x at photo ${early}, files in memory`,
        growth("memory", "cpuMs"),
        1.2,
      ),
      atMost(
        "photo: median overhead, files on the disk, ms",
        samples.median("disk", ({ photoMs }) => median(photoMs)),
        15,
      ),
      atMost(
        `path: ms from the request to the stored path of ${points} positions, in the best order`,
        samples.median("disk", ({ pathMs }) => pathMs),
        250,
      ),
      atMost(
        "path: longest delay of the event loop meanwhile, ms",
        samples.median("disk", ({ pathLoop }) => pathLoop.max),
        25,
      ),
      atMost(
        "photo: p99 delay of the event loop during the scan, ms",
        samples.median("disk", ({ loopMs }) => loopMs.p99),
        25,
      ),
    ],
    notes: [
      "A disk slows down by itself while 3 GB are written to it: the server's own growth is what remains beside plain writes, and shows alone where the files are in memory.",
      "Motors and camera take no time, so each photo also waits for the disk, which a real scan does during the next move. A photo has 3 MB.",
      `Medians over ${2 * reach} photos around the one named. Three files are written and synchronised for each: photo, metadata, scan.json.`,
    ],
  };
}
