import { setTimeout as sleep } from "node:timers/promises";
import { atLeast, atMost } from "../goals.mjs";
import { hubNames } from "../peers.mjs";
import { Samples } from "../samples.mjs";
import { Stage } from "../stage.mjs";
import { quantile } from "../statistics.mjs";

export const stalled = {
  title: "Stalled readers: 10,000 events, 2000 a second, for 10 live readers, without and with 5 that stall",
  peerNames: [...hubNames, "string", "naive", "socketIo", "fastApi"],
  measure,
};

const events = 10_000;
const intervalMs = 0.5;
/** Enough to fill the hub's history and to let V8's heap find its size: that is no reader's memory. */
const warmUpEvents = 6_000;
const stalledReaders = 5;
/** 10 s without progress, which is looked for once a second, and a second for the farewell. */
const deadlineMs = 12_500;

/** Memory is the server's at the end, above that before the events; latencies are those of the live readers. */
async function measure({ peers, rounds, quick, progress }) {
  const samples = new Samples();
  const plannedRounds = quick ? 1 : rounds;
  for (let round = 1; round <= plannedRounds; round++) {
    for (const peer of Object.values(peers)) {
      progress(`${peer.title}, round ${round} of ${plannedRounds}`);
      const none = await run(peer, 0);
      // Whether the others ever close a stalled reader need not be seen more than once.
      const five = await run(peer, stalledReaders, hubNames.includes(peer.name) || round === 1);
      samples.add(peer.name, { none, five });
    }
  }
  return {
    rows: Object.values(peers).map((peer) => row(peer, samples)),
    goals: hubNames.flatMap((name) => goals(peers[name], samples)),
  };
}

function run(peer, stalled, seeThemClosed) {
  return Stage.with(async (stage) => {
    const server = await stage.start(peer);
    await stage.connect(peer, 10);
    await stage.run(peer, { events: warmUpEvents, intervalMs });
    await stage.connect(peer, 0, stalled);
    const closedAfterMs = [];
    server.onMessage((message) => message.closedAfterMs && closedAfterMs.push(message.closedAfterMs));
    server.order("watch");
    const before = await server.residentBytes();
    const { latencies, fewest } = await stage.run(peer, { events, intervalMs, patienceMs: 2_000 });
    const growth = (await server.residentBytes()) - before;
    for (let waitedMs = 0; seeThemClosed && waitedMs < deadlineMs; waitedMs += 100) {
      if (closedAfterMs.length === stalled) break;
      await sleep(100);
    }
    return {
      growth: growth / 1024 / 1024,
      fewest,
      p50: quantile(latencies, 0.5),
      p99: quantile(latencies, 0.99),
      closedAfterMs: seeThemClosed ? closedAfterMs : undefined,
    };
  });
}

const fewest = (samples, name) => Math.min(...samples.of(name).map(({ five }) => five.fewest));
const closings = (samples, name) => samples.of(name).flatMap(({ five }) => five.closedAfterMs ?? []);

function row({ name, title }, samples) {
  const closed = closings(samples, name);
  return {
    server: title,
    "RSS MB, none": samples.median(name, ({ none }) => none.growth),
    "RSS MB, 5 stalled": samples.median(name, ({ five }) => five.growth),
    "fewest got": fewest(samples, name),
    "p50 ms, none": samples.median(name, ({ none }) => none.p50),
    "p50 ms, 5": samples.median(name, ({ five }) => five.p50),
    "p99 ms, none": samples.median(name, ({ none }) => none.p99),
    "p99 ms, 5": samples.median(name, ({ five }) => five.p99),
    "stalled closed after s": closed.length > 0 ? Math.max(...closed) / 1000 : "never",
  };
}

function goals({ name, title }, samples) {
  const ratio = (value) => samples.median(name, ({ none, five }) => value(five) / value(none));
  const growth = samples.median(name, ({ none, five }) => five.growth - none.growth);
  const closed = closings(samples, name);
  const all = samples.of(name).length * stalledReaders;
  return [
    atMost(`P4 ${title}: MB of RSS for 5 stalled readers`, growth, 2),
    atLeast(`P4 ${title}: events that each live reader got`, fewest(samples, name), events),
    atMost(
      `P4 ${title}: p50 with 5 stalled x without`,
      ratio(({ p50 }) => p50),
      1.25,
    ),
    atMost(
      `P4 ${title}: p99 with 5 stalled x without`,
      ratio(({ p99 }) => p99),
      2,
    ),
    atLeast(`P4 ${title}: stalled readers closed, of ${all}`, closed.length, all),
    atMost(`P4 ${title}: closed after s without progress`, Math.max(...closed) / 1000, deadlineMs / 1000),
  ];
}
