import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync } from "node:fs";
import { Agent, get } from "node:http";
import { join } from "node:path";
import { atMost } from "../goals.mjs";
import { rotated } from "../rotated.mjs";
import { Samples } from "../samples.mjs";
import { ScannerProcess } from "../scanner-process.mjs";
import { median, quantile } from "../statistics.mjs";
import { storeProject } from "../store-project.mjs";

const projectCount = 50;
const photoCount = 200;

export const projects = {
  title: `GET /projects/ of ${projectCount} projects of ${photoCount} photos, beside a server that sends the same JSON prebuilt`,
  peerNames: [],
  measure,
};

async function measure({ rounds, quick, progress, workFolder }) {
  const folder = mkdtempSync(join(workFolder, "projects-"));
  progress("making the projects");
  for (let index = 0; index < projectCount; index++)
    storeProject(join(folder, "project"), `project ${index}`, { count: photoCount, bytes: "photo" });
  const scanner = await ScannerProcess.start(folder);
  const prebuilt = fork(new URL("../servers/prebuilt.mjs", import.meta.url));
  const samples = new Samples();
  let bytes = 0;
  try {
    const url = `${scanner.url}/latest/projects/`;
    const text = await (await fetch(url)).text();
    bytes = Buffer.byteLength(text);
    prebuilt.send(text);
    const [port] = await once(prebuilt, "message");
    const peers = { server: url, prebuilt: `http://127.0.0.1:${port}/` };
    const requests = quick ? 20 : 300;
    for (const address of Object.values(peers)) await times(address, requests);
    for (let round = 1; round <= rounds; round++) {
      progress(`round ${round} of ${rounds}`);
      for (const [name, address] of rotated(Object.entries(peers), round))
        samples.add(name, await times(address, requests));
    }
  } finally {
    prebuilt.disconnect();
    await scanner.stop();
  }
  return {
    rows: Object.entries({ server: "server", prebuilt: "node:http, prebuilt" }).map(([name, title]) => ({
      "": title,
      "median ms": samples.median(name, median),
      "p99 ms": samples.median(name, (sample) => quantile(sample, 0.99)),
    })),
    goals: [atMost("GET /projects/: median x prebuilt", samples.ratio("server", "prebuilt", median), 5)],
    notes: [`The reply has ${bytes} bytes; one request after the other, on one connection.`],
  };
}

/** Milliseconds of each request, to the last byte of its reply. */
async function times(url, requests) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const sample = [];
  for (let request = 0; request < requests; request++) {
    const start = performance.now();
    const [reply] = await once(get(url, { agent }), "response");
    reply.resume();
    await once(reply, "end");
    sample.push(performance.now() - start);
  }
  agent.destroy();
  return sample;
}
