import { atMost } from "../goals.mjs";
import { hubNames } from "../peers.mjs";
import { rotated } from "../rotated.mjs";
import { Samples } from "../samples.mjs";
import { Stage } from "../stage.mjs";
import { quantile } from "../statistics.mjs";

export const latency = {
  title: "Latency: 100 events/s to 100 clients",
  peerNames: [...hubNames, "string", "naive", "socketIo", "c", "bun", "fastApi"],
  measure,
};

const clients = 100;
const intervalMs = 10;
const p50 = ({ latencies }) => quantile(latencies, 0.5);
const p99 = ({ latencies }) => quantile(latencies, 0.99);

/** From `publish()` to the moment at which a client has read the event. */
async function measure({ peers, rounds, quick, progress }) {
  const samples = new Samples();
  await Stage.with(async (stage) => {
    for (const peer of Object.values(peers)) {
      await stage.start(peer);
      await stage.connect(peer, clients);
      await stage.run(peer, { events: 100, intervalMs });
    }
    for (let round = 1; round <= rounds; round++) {
      progress(`round ${round} of ${rounds}`);
      for (const peer of rotated(Object.values(peers), round)) {
        samples.add(peer.name, await stage.run(peer, { events: quick ? 100 : 400, intervalMs }));
      }
    }
  });
  return {
    rows: Object.values(peers).map(({ name, title }) => ({
      server: title,
      "p50 ms": samples.median(name, p50),
      "p99 ms": samples.median(name, p99),
      "server CPU %": samples.median(name, ({ cpuMicros, wallMs }) => cpuMicros / wallMs / 10),
    })),
    goals: hubNames.map((ours) =>
      atMost(`P3 ${peers[ours].title}: p99 x FastAPI`, samples.ratio(ours, "fastApi", p99), 0.333),
    ),
  };
}
