import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { readCommandLine } from "./command-line.mjs";
import { parts } from "./parts/index.mjs";
import { hubNames, preparePeers } from "./peers.mjs";
import { report } from "./report.mjs";

const options = readCommandLine();
const workFolder = mkdtempSync(join(tmpdir(), "openscan-bench-"));
process.once("exit", () => rmSync(workFolder, { recursive: true, force: true }));
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(1));
const machine = `${availableParallelism()} x ${cpus()[0]?.model}, ${process.platform}, Node ${process.version}`;
if (!options.json) console.log(`${machine}\n`);

const results = [];
for (const name of options.parts) {
  const result = await measure(name);
  results.push(result);
  if (!options.json) console.log(`${report(result)}\n`);
}
if (options.json) console.log(JSON.stringify({ machine, results }, undefined, 2));
const isMissed = results.some(({ goals }) => goals.some(({ met }) => met === false));
process.exitCode = options.strict && isMissed ? 1 : 0;

async function measure(name) {
  const { title, peerNames, measure } = parts[name];
  const wanted = new Set([...hubNames, ...options.peers]);
  const { peers, missing } = preparePeers(
    peerNames.filter((peer) => wanted.has(peer)),
    workFolder,
  );
  const before = loadavg()[0].toFixed(1);
  const progress = (what) => console.error(`${name}: ${what}`);
  const { rows, goals, notes = [] } = await measure({ ...options, peers, progress, workFolder });
  const load = `Load average before ${before}, after ${loadavg()[0].toFixed(1)}.`;
  return { part: name, title, rows, goals, notes: [...notes, ...missing, load] };
}
