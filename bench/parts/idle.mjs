import { execFileSync } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { atMost } from "../goals.mjs";
import { hubNames } from "../peers.mjs";
import { Samples } from "../samples.mjs";
import { Stage } from "../stage.mjs";

export const idle = {
  title: "Memory of an idle connection",
  peerNames: [...hubNames, "string", "socketIo"],
  measure,
};

/** Files that a process needs besides its connections. */
const spareFiles = 200;
const settleMs = 1_000;

/** Growth of the server's RSS, by the number of connections. */
async function measure({ peers, rounds, quick, progress }) {
  const limit = Number(execFileSync("sh", ["-c", "ulimit -Hn"], { encoding: "utf8" })) || Infinity;
  const possible = (quick ? [500] : [2_000, 10_000]).map((clients) => Math.min(clients, limit - spareFiles));
  const cells = possible.map((clients) => ({ clients, samples: new Samples() }));
  for (let round = 1; round <= rounds; round++) {
    for (const { clients, samples } of cells) {
      for (const peer of Object.values(peers)) {
        progress(`${clients} clients, round ${round} of ${rounds}, ${peer.title}`);
        samples.add(peer.name, await bytesPerConnection(peer, clients));
      }
    }
  }
  return {
    rows: cells.flatMap(({ clients, samples }) =>
      Object.values(peers).map(({ name, title }) => ({
        N: clients,
        server: title,
        "kB per connection": samples.median(name, Number) / 1024,
        "x ws": samples.ratio(name, "string", Number),
        "x socket.io": samples.ratio(name, "socketIo", Number),
      })),
    ),
    goals: cells.flatMap(({ clients, samples }) =>
      hubNames.flatMap((ours) => [
        atMost(`P5 ${peers[ours].title}, N=${clients}: x ws`, samples.ratio(ours, "string", Number), 1.25),
        atMost(
          `P5 ${peers[ours].title}, N=${clients}: x socket.io`,
          samples.ratio(ours, "socketIo", Number),
          0.6,
        ),
      ]),
    ),
    notes: [`A process may open ${limit} files here (ulimit -Hn).`],
  };
}

function bytesPerConnection(peer, clients) {
  return Stage.with(async (stage) => {
    const server = await stage.start(peer);
    await stage.connect(peer, 100); // what the first connections load and compile
    const before = await server.residentBytes();
    await stage.connect(peer, clients);
    await sleep(settleMs);
    return ((await server.residentBytes()) - before) / clients;
  });
}
