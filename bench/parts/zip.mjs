import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { randomBytes } from "node:crypto";
import { atLeast, atMost } from "../goals.mjs";
import { rotated } from "../rotated.mjs";
import { Samples } from "../samples.mjs";
import { ScannerProcess } from "../scanner-process.mjs";
import { storeProject } from "../store-project.mjs";

const MB = 1e6;
const MiB = 2 ** 20;
const photoBytes = 5 * MiB;
const lookAtMemoryMs = 50;
const pageBytes = Number(execFileSync("getconf", ["PAGESIZE"], { encoding: "utf8" }));

export const zip = {
  title: "A ZIP download of 2 GB from the real server, beside `tar cf -` of the same files",
  peerNames: [],
  measure,
};

/** From the request to the last byte, everything read and thrown away by the same process. */
async function measure({ rounds, quick, progress, workFolder }) {
  const folder = mkdtempSync(join(workFolder, "zip-"));
  const projects = join(folder, "project");
  const count = quick ? 20 : 400;
  const samples = new Samples();
  progress(`${(count * photoBytes) / MB} MB of photos`);
  storeProject(projects, "bench", { count, bytes: randomBytes(photoBytes) });
  const scanner = await ScannerProcess.start(folder);
  try {
    const peers = {
      server: () => download(scanner),
      tar: () => tarToPipe(projects),
      tarToNode: () => tarToNode(projects),
    };
    for (const run of Object.values(peers)) await run(); // files come from the disk only once
    for (let round = 1; round <= rounds; round++) {
      progress(`round ${round} of ${rounds}`);
      for (const [name, run] of rotated(Object.entries(peers), round)) samples.add(name, await run());
    }
  } finally {
    await scanner.stop();
  }
  const rate = ({ bytes, seconds }) => bytes / MB / seconds;
  const growth = ({ growthBytes }) => growthBytes / MiB;
  return {
    rows: Object.entries({
      server: "server, GET …/zip",
      tar: "tar cf - | wc -c",
      tarToNode: "tar cf - to a socket of Node",
    }).map(([name, title]) => ({
      "": title,
      "MB/s": samples.median(name, rate),
      "RSS growth, MiB": name === "server" ? samples.median(name, growth) : undefined,
    })),
    goals: [
      atLeast("ZIP: rate x tar", samples.ratio("server", "tar", rate), 0.7),
      atMost("ZIP: RSS growth of the server, MiB", Math.max(...samples.of("server").map(growth)), 64),
    ],
    notes: [`${count} files of ${photoBytes / MiB} MiB, in the system's cache; the download comes over TCP.`],
  };
}

async function download(scanner) {
  const before = residentBytes(scanner.pid);
  let most = before;
  const watch = setInterval(() => {
    most = Math.max(most, residentBytes(scanner.pid));
  }, lookAtMemoryMs);
  try {
    const start = performance.now();
    const bytes = await readAll(Number(scanner.port), "/latest/projects/bench/zip");
    return { bytes, seconds: (performance.now() - start) / 1000, growthBytes: most - before };
  } finally {
    clearInterval(watch);
  }
}

/** As cheaply as Node can, because the reader is not what is measured: into one buffer, without an HTTP client. */
async function readAll(port, path) {
  let bytes = 0;
  let tail = "";
  const take = (length, buffer) => {
    if (bytes === 0 && !buffer.toString("latin1", 0, 15).startsWith("HTTP/1.1 200 "))
      throw new Error(`the download answers ${buffer.toString("latin1", 0, 30)}`);
    bytes += length;
    tail = (tail + buffer.toString("latin1", Math.max(0, length - 5), length)).slice(-5);
    return true;
  };
  const socket = connect({ port, host: "127.0.0.1", onread: { buffer: Buffer.alloc(MiB), callback: take } });
  socket.write(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n`);
  await once(socket, "close");
  if (tail !== "0\r\n\r\n") throw new Error("the download broke off");
  return bytes;
}

/** Into a pipe, as in a shell; into /dev/null tar would not even read the files. */
async function tarToPipe(folder) {
  const start = performance.now();
  const command = 'tar cf - -C "$1" bench | wc -c';
  const child = spawn("sh", ["-c", command, "sh", folder], { stdio: ["ignore", "pipe", "inherit"] });
  let count = "";
  child.stdout.on("data", (part) => {
    count += part;
  });
  await once(child, "close");
  return { bytes: Number(count), seconds: (performance.now() - start) / 1000 };
}

/** Node connects children by sockets, whose buffers are larger than a pipe's. */
async function tarToNode(folder) {
  const start = performance.now();
  const child = spawn("tar", ["cf", "-", "-C", folder, "bench"], { stdio: ["ignore", "pipe", "inherit"] });
  const bytes = await drain(child.stdout);
  return { bytes, seconds: (performance.now() - start) / 1000 };
}

async function drain(stream) {
  let bytes = 0;
  stream.on("data", (part) => {
    bytes += part.length;
  });
  await once(stream, "end");
  return bytes;
}

/** Cheap to ask while the same process reads the download; needs Linux. */
function residentBytes(pid) {
  const [, pages] = readFileSync(`/proc/${pid}/statm`, "utf8").split(" ");
  return pageBytes * Number(pages);
}
