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
/** V8 lets it grow by tens of MB while handshakes make garbage: that belongs to no connection, but would be divided. */
const smallYoungGeneration = "--max-semi-space-size=1";

/** Growth of the server's RSS, by the number of connections. */
async function measure({ peers, rounds, quick, progress }) {
  const limit = Number(execFileSync("sh", ["-c", "ulimit -Hn"], { encoding: "utf8" })) || Infinity;
  const possible = (quick ? [500] : [2_000, 10_000]).map((clients) => Math.min(clients, limit - spareFiles));
  const cells = possible.map((clients) => ({ clients, samples: new Samples() }));
  for (let round = 1; round <= rounds; round++) {
    for (const { clients, samples } of cells) {
      for (const peer of Object.values(peers)) {
        progress(`${clients} clients, round ${round} of ${rounds}, ${peer.title}`);
        const [node, ...args] = peer.command;
        const small = { ...peer, command: [node, smallYoungGeneration, ...args] };
        samples.add(peer.name, {
          small: await bytesPerConnection(small, clients),
          usual: await bytesPerConnection(peer, clients),
        });
      }
    }
  }
  return {
    rows: cells.flatMap(({ clients, samples }) =>
      Object.values(peers).map(({ name, title }) => ({
        N: clients,
        server: title,
        "kB per connection": samples.median(name, bytes) / 1024,
        "x ws": samples.ratio(name, "string", bytes),
        "x socket.io": samples.ratio(name, "socketIo", bytes),
        "kB with V8's own young generation": samples.median(name, ({ usual }) => usual) / 1024,
      })),
    ),
    goals: cells.flatMap(({ clients, samples }) =>
      hubNames.flatMap((ours) => [
        atMost(`P5 ${peers[ours].title}, N=${clients}: x ws`, samples.ratio(ours, "string", bytes), 1.25),
        atMost(
          `P5 ${peers[ours].title}, N=${clients}: x socket.io`,
          samples.ratio(ours, "socketIo", bytes),
          0.6,
        ),
      ]),
    ),
    notes: [
      `V8's young generation is kept small (${smallYoungGeneration}) in all servers, except for the last column.`,
      `A process may open ${limit} files here (ulimit -Hn).`,
    ],
  };
}

const bytes = ({ small }) => small;

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
