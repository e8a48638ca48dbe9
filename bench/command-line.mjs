import { parseArgs } from "node:util";
import { parts } from "./parts/index.mjs";
import { peerNames } from "./peers.mjs";

const usage = `Measures the goals of docs/performance.md, the hub beside its peers, each server in a process of its own.

npm run bench -- [options] [part …]     (or node bench/run.mjs, when everything is built)

parts; all of them unless told
${Object.entries(parts)
  .map(([name, { title }]) => `  ${name.padEnd(9)} ${title}`)
  .join("\n")}

options
  --rounds <n>     of which the median is taken; default 3
  --peers <name,…> only these, and the hub, of ${peerNames.join(",")}
  --quick          less of everything: whether it works, not how well
  --json           figures and goals as JSON
  --strict         ends with 1 when a goal is missed
  --help

Ratios are to a peer in the same round. The content and the order of every delivery are checked. Trust ratios of
CPU; rates and latencies only when nothing else runs.`;

/** Ends the process when there is nothing to measure. */
export function readCommandLine() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      rounds: { type: "string", default: "3" },
      peers: { type: "string", default: peerNames.join() },
      quick: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      strict: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    console.log(usage);
    process.exit();
  }
  const rounds = Number(values.rounds);
  if (!(Number.isInteger(rounds) && rounds >= 1))
    reject(`--rounds ${values.rounds}: must be a whole number from 1`);
  return {
    ...values,
    rounds,
    peers: values.peers.split(",").map((name) => known("peer", name, peerNames)),
    parts: (positionals.length > 0 ? positionals : Object.keys(parts)).map((name) =>
      known("part", name, Object.keys(parts)),
    ),
  };
}

function known(kind, name, names) {
  if (!names.includes(name)) reject(`${name}: there is no such ${kind}`);
  return name;
}

function reject(problem) {
  console.error(`${problem}\n\n${usage}`);
  process.exit(2);
}
