import { FakeClock, settle } from "@openscan/runtime/testing";
import { expect, onTestFinished, test } from "vitest";
import { Application } from "./support/continuity/application.js";
import { HttpScanner } from "./support/continuity/http-scanner.js";
import { randomNumbers } from "./support/continuity/random-numbers.js";
import type { ClientPlan } from "./support/continuity/schedule.js";
import { type Happening, Scanner } from "./support/continuity/scanner.js";
import { watchedSocket } from "./support/continuity/watched-socket.js";
import { Proxy } from "./support/proxy.js";

const seed = Number(process.env["OPENSCAN_SEED"] ?? Math.floor(Math.random() * 1e9));
const rounds = Number(process.env["OPENSCAN_ROUNDS"] ?? 100);
/** As documented: silence, back-off, opening. */
const recoveryMs = 75_000 + 20_000 + 8_000 + 2_000;

const plans: readonly Omit<ClientPlan, "latencyMs" | "capacity" | "browser">[] = [
  { namespace: "tasks", slowLoop: true },
  { namespace: "tasks", slowLoop: false, minIntervalMs: 500 },
  { namespace: "tasks", slowLoop: false, ids: ["t1", "t3", "t8"] },
  { namespace: "device", slowLoop: true },
  { namespace: "device", slowLoop: false, delta: false },
  { namespace: "device", slowLoop: false, paths: ["motors.turntable"], minIntervalMs: 500 },
];

const happenings: readonly Happening["what"][] = [
  ...(["create", "start", "progress", "progress", "pause", "end", "delete", "photo", "stalled"] as const),
  ...(["move", "move", "light", "configure", "fault"] as const),
];

const faults = ["none", "cut down", "cut up", "stop down", "stop up", "black hole"] as const;
const moreFaults = ["client told", "server told", "refused", "silent", "cut in the handshake"] as const;

test(`${rounds} rounds over real sockets and a bad proxy, seed ${seed}: the state is right again, every fact is accounted for`, async () => {
  const random = randomNumbers(seed);
  const pick = <T>(choices: readonly T[]): T => choices[Math.floor(random() * choices.length)] as T;
  const clock = new FakeClock();
  const scanner = new Scanner(clock);
  const server = await HttpScanner.open(clock, scanner);
  const problems = new Set<string>();
  onTestFinished(() => server.kill());
  const viewers = await Promise.all(
    plans.map((plan, number) =>
      openViewer(plan, {
        clock,
        scanner,
        server,
        random,
        complain: (problem) => problems.add(`${number}: ${problem}`),
      }),
    ),
  );
  const happen = async (count: number) => {
    for (let i = 0; i < count; i++) {
      const padding = random() < 0.03 ? 20_000 : 0;
      scanner.happen({ what: pick(happenings), target: Math.floor(random() * 8), padding });
      if (random() < 0.5) await settle();
      if (random() < 0.1) await pass(clock, random() * 2000);
    }
  };
  const recovered = async () => {
    const end = clock.now() + recoveryMs;
    while (viewers.some(({ application }) => application.trouble) && clock.now() < end)
      await pass(clock, 250);
    expect(viewers.map(({ application }) => application.trouble)).toEqual(plans.map(() => undefined));
  };

  await recovered();
  for (let round = 0; round < rounds; round++) {
    for (const { proxy, application } of viewers) {
      befall(proxy, pick([...faults, ...moreFaults]), random);
      application.read(Math.floor(random() * 100));
    }
    await happen(5 + Math.floor(random() * 60));
    if (random() < 0.15) {
      await server.kill();
      await pass(clock, random() * 5000);
      scanner.changeUnseen();
      await server.start();
    }
    await happen(Math.floor(random() * 20));
    await pass(clock, pick([0, 1000, 30_000]));
    for (const { proxy, application } of viewers) {
      proxy.state = "open";
      application.read(1000);
    }
    await happen(Math.floor(random() * 20));
    await recovered();
    expect([...problems]).toEqual([]);
  }
  expect(viewers.every(({ application: { account } }) => account.told > 0)).toBe(true);
}, 900_000);

function befall(
  proxy: Proxy,
  fault: (typeof faults)[number] | (typeof moreFaults)[number],
  random: () => number,
): void {
  if (fault === "refused") proxy.state = "refuses";
  if (fault === "silent") proxy.state = "silent";
  if (fault === "cut in the handshake")
    proxy.nextCut = { direction: random() < 0.5 ? "up" : "down", bytes: Math.floor(random() * 300) };
  for (const connection of proxy.open) {
    const bytes = Math.floor(random() ** 2 * 20_000);
    switch (fault) {
      case "none":
        break;
      case "cut down":
        connection.cutAfter("down", bytes);
        break;
      case "cut up":
        connection.cutAfter("up", bytes % 100);
        break;
      case "stop down":
        connection.stop("down");
        break;
      case "stop up":
        connection.stop("up");
        break;
      case "black hole":
        connection.stop("down");
        connection.stop("up");
        break;
      case "client told":
        connection.breakFor("client");
        break;
      case "server told":
        connection.breakFor("server");
        break;
      case "refused":
      case "silent":
      case "cut in the handshake":
        connection.cut();
        break;
    }
  }
}

interface Rig {
  readonly clock: FakeClock;
  readonly scanner: Scanner;
  readonly server: HttpScanner;
  readonly random: () => number;
  readonly complain: (problem: string) => void;
}

async function openViewer(plan: (typeof plans)[number], { clock, scanner, server, random, complain }: Rig) {
  const proxy = await Proxy.open({ clock, random, port: () => server.port, delayMs: 30 });
  const application = new Application({
    plan,
    scanner,
    complain,
    client: (application) => ({
      url: proxy.url,
      clock,
      random,
      WebSocket: watchedSocket(() => {
        application.connected();
        return (message) => application.received(message);
      }),
      fetch: async (url, init) => {
        const reply = await fetch(url, init);
        const [epoch, seq] = [reply.headers.get("OpenScan-Epoch"), reply.headers.get("OpenScan-Seq")];
        application.askedRest({ epoch: epoch ?? "", seq: Number(seq) });
        return reply;
      },
    }),
  });
  onTestFinished(async () => {
    application.close();
    await proxy.close();
  });
  return { proxy, application };
}

/** Lets time pass in small steps, between which the sockets of this process get to read and write. */
async function pass(clock: FakeClock, ms: number): Promise<void> {
  for (let left = ms; left >= 0; left -= 250) {
    for (let turn = 0; turn < 10; turn++) await settle();
    await clock.advance(Math.min(250, left));
  }
}
