import { atLeast, atMost } from "../goals.mjs";
import { hubNames } from "../peers.mjs";
import { rotated } from "../rotated.mjs";
import { Samples } from "../samples.mjs";
import { Stage } from "../stage.mjs";

export const fanOut = {
  title: "Fan-out: one event, or 8, in each turn of the event loop, as fast as it goes",
  peerNames: [...hubNames, "string", "naive", "socketIo", "c", "bun", "fastApi"],
  measure,
};

/** By batch; a run is so short that what else the machine does meets all peers of a round alike. */
const deliveriesPerRun = { 1: 20_000, 8: 32_000 };
const runsPerRound = 4;
const deliveriesInFlight = 4_000;
const cpu = ({ cpuMicros, deliveries }) => cpuMicros / deliveries;
const rate = ({ wallMs, deliveries }) => (1000 * deliveries) / wallMs;

/** A delivery is one event to one subscriber; CPU is the server's. */
async function measure(options) {
  const cells = [];
  for (const clients of [100, 1000]) cells.push(...(await measureCells(clients, options)));
  return {
    rows: cells.flatMap((cell) => Object.values(options.peers).map((peer) => row(cell, peer))),
    goals: cells.flatMap((cell) => hubNames.flatMap((ours) => goals(cell, options.peers[ours]))),
    notes: [
      "From a client load of about 0.9 on, the rate is the client's limit, and only CPU can be compared.",
    ],
  };
}

async function measureCells(clients, { peers, rounds, quick, progress }) {
  const cells = [1, 8].map((batch) => ({ clients, batch, samples: new Samples() }));
  await Stage.with(async (stage) => {
    for (const peer of Object.values(peers)) {
      await stage.start(peer);
      await stage.connect(peer, clients);
    }
    for (let round = 0; round <= rounds; round++) {
      progress(`${clients} clients, round ${round} of ${rounds}`);
      for (const { batch, samples } of cells) {
        const window = batch * Math.max(2, Math.round(deliveriesInFlight / clients / batch));
        const deliveries = deliveriesPerRun[batch] / (quick ? 8 : 1);
        const events = window * Math.max(1, Math.round(deliveries / clients / window));
        const runs = Object.fromEntries(Object.keys(peers).map((name) => [name, []]));
        for (let run = 0; run < runsPerRound; run++) {
          for (const peer of rotated(Object.values(peers), round * runsPerRound + run)) {
            const result = await stage.run(peer, { events, batch, window });
            runs[peer.name].push({ ...result, deliveries: events * clients });
          }
        }
        const isWarmUp = round === 0;
        for (const name of Object.keys(peers)) if (!isWarmUp) samples.add(name, joined(runs[name]));
      }
    }
  });
  return cells;
}

/** Several runs of one server as one. */
function joined(runs) {
  const sum = (value) => runs.reduce((total, run) => total + value(run), 0);
  const wallMs = sum((run) => run.wallMs);
  return {
    cpuMicros: sum((run) => run.cpuMicros),
    wallMs,
    deliveries: sum((run) => run.deliveries),
    clientLoad: sum((run) => run.clientLoad * run.wallMs) / wallMs,
  };
}

function row({ clients, batch, samples }, { name, title }) {
  return {
    N: clients,
    B: batch,
    server: title,
    "CPU µs": samples.median(name, cpu),
    "x string": samples.ratio(name, "string", cpu),
    "x C": samples.ratio(name, "c", cpu),
    "k/s": samples.median(name, rate) / 1000,
    "rate x string": samples.ratio(name, "string", rate),
    "client load": samples.median(name, ({ clientLoad }) => clientLoad),
  };
}

function goals({ clients, batch, samples }, { name, title }) {
  const at = `${title}, N=${clients}, B=${batch}`;
  const cpuTimes = (other) => samples.ratio(name, other, cpu);
  const rateTimes = (other) => samples.ratio(name, other, rate);
  if (batch === 8) {
    return [
      atMost(`P2 ${at}: CPU x string`, cpuTimes("string"), 0.25),
      atMost(`P2 ${at}: CPU x C`, cpuTimes("c"), 2.5),
    ];
  }
  return [
    atMost(`P1 ${at}: CPU x string`, cpuTimes("string"), 0.85),
    atMost(`P1 ${at}: CPU x C`, cpuTimes("c"), 2),
    atLeast(`P1 ${at}: rate x string`, rateTimes("string"), 1.15),
    atLeast(`P3 ${at}: rate x FastAPI`, rateTimes("fastApi"), 4),
    atMost(`P3 ${at}: CPU x FastAPI`, cpuTimes("fastApi"), 0.25),
    atMost(`P3 ${at}: CPU x socket.io`, cpuTimes("socketIo"), 0.75),
  ];
}
