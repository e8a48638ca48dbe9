import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { atMost } from "../goals.mjs";
import { Samples } from "../samples.mjs";
import { median, quantile } from "../statistics.mjs";

const program = fileURLToPath(new URL("../servers/scan-without-hardware.mjs", import.meta.url));
const run = promisify(execFile);
/** Photos around the one that is asked for. */
const reach = 10;

export const photo = {
  title: "What a photo costs the server itself, early and late in a long scan; and the path of that scan",
  peerNames: [],
  measure,
};

async function measure({ rounds, quick, progress, workFolder }) {
  const points = quick ? 120 : 999;
  const [early, late] = [10, quick ? 100 : 900];
  const samples = new Samples();
  for (let round = 1; round <= rounds; round++) {
    progress(`${points} photos, round ${round} of ${rounds}`);
    const folder = mkdtempSync(join(workFolder, "photos-"));
    const { stdout } = await run(process.execPath, [program, folder, String(points)], { maxBuffer: 1e8 });
    rmSync(folder, { recursive: true });
    samples.add("scan", JSON.parse(stdout));
  }
  return report(samples, { points, early, late });
}

function report(samples, { points, early, late }) {
  const around = (photo, figures) => figures.slice(photo - reach, photo + reach);
  const growth = (figure) =>
    samples.median(
      "scan",
      ({ [figure]: figures }) => median(around(late, figures)) / median(around(early, figures)),
    );
  const row = (photo) => {
    const all = (figure) => samples.of("scan").flatMap((sample) => around(photo, sample[figure]));
    return {
      photo,
      "median ms": median(all("photoMs")),
      "p90 ms": quantile(all("photoMs"), 0.9),
      "median ms of CPU": median(all("cpuMs")),
    };
  };
  return {
    rows: [row(early), row(Math.round((early + late) / 2)), row(late)],
    goals: [
      atMost(`photo: overhead at photo ${late} x at photo ${early}`, growth("photoMs"), 1.2),
      atMost(`photo: CPU at photo ${late} x at photo ${early}`, growth("cpuMs"), 1.2),
      atMost(
        "photo: median overhead, ms",
        samples.median("scan", ({ photoMs }) => median(photoMs)),
        15,
      ),
      atMost(
        `path: ms from the request to the stored path of ${points} positions, in the best order`,
        samples.median("scan", ({ pathMs }) => pathMs),
        250,
      ),
      atMost(
        "path: longest delay of the event loop meanwhile, ms",
        samples.median("scan", ({ pathLoop }) => pathLoop.max),
        25,
      ),
      atMost(
        "photo: p99 delay of the event loop during the scan, ms",
        samples.median("scan", ({ loopMs }) => loopMs.p99),
        25,
      ),
    ],
    notes: [
      "Motors and camera take no time, so each photo also waits for the disk, which a real scan does during the next move. A photo has 3 MB.",
      `Medians over ${2 * reach} photos around the one named. Three files are written and synchronised for each: photo, metadata, scan.json.`,
    ],
  };
}
