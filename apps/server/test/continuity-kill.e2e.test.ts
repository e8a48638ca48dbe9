import { systemClock } from "@openscan/runtime";
import type { DeviceStatus, Task } from "@openscan/protocol";
import { isDeepStrictEqual } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import { type ServerProcess, spawnServer } from "./support/child.js";
import { Listener } from "./support/continuity/listener.js";
import { randomNumbers } from "./support/continuity/random-numbers.js";
import { createFolder, quickConfiguration } from "./support/folder.js";
import { Proxy } from "./support/proxy.js";

const seed = Number(process.env["OPENSCAN_SEED"] ?? Math.floor(Math.random() * 1e9));
const points = 24;
const faults = [
  "cut",
  "kill",
  "cut later",
  "refuse",
  "kill",
  "cut in the handshake",
  "half",
  "cut later",
] as const;

test(`a scan through a bad way, the server killed twice, seed ${seed}: the state is right, every fact is accounted for`, async () => {
  const random = randomNumbers(seed);
  const folder = await createFolder(await quickConfiguration());
  onTestFinished(() => folder.remove());
  let server = await spawnServer(folder);
  const proxy = await Proxy.open({ clock: systemClock, random, port: () => portOf(server), delayMs: 3 });
  const listener = listen(proxy.url);
  onTestFinished(() => proxy.close());
  // Hears everything of one life of the server, by the direct way.
  const neighbours = [listen(server.api.url)];
  await listener.until(() => listener.live);
  const { id } = await server.api.startScan("vase", { points });

  const task = () => listener.client.tasks.get().state?.find((task) => task.id === id);
  const over = () => task()?.status === "completed";
  let kills = 0;
  for (const fault of faults) {
    const photos = listener.told("tasks", "photo.captured").length;
    await listener.until(() => over() || listener.told("tasks", "photo.captured").length > photos);
    if (over()) break;
    if (fault === "kill") {
      kills++;
      await server.stop("SIGKILL");
      await listener.until(() => !listener.live);
      server = await spawnServer(folder);
      neighbours.push(listen(server.api.url));
      await listener.until(() => listener.live);
      await server.api.call("POST", `/latest/tasks/${id}/resume`);
    } else {
      befall(proxy, fault, random);
      await listener.until(() => over() || !listener.live);
      proxy.state = "open";
      await listener.until(() => listener.live);
    }
  }
  await listener.until(over);
  expect(kills).toBe(2);

  await untilEqual(
    listener,
    "tasks",
    async () => (await server.api.call<Task[]>("GET", "/next/tasks/")).body,
  );
  await untilEqual(
    listener,
    "device",
    async () => (await server.api.call<DeviceStatus>("GET", "/next/device/info")).body,
  );
  for (const name of ["tasks", "device"] as const) {
    const { problems, lost } = listener.settle(name, neighbours);
    expect(problems).toEqual([]);
    expect(lost).toBeLessThanOrEqual(kills);
  }
  expect(listener.told("tasks", "photo.captured").length).toBeGreaterThanOrEqual(points - kills);
}, 180_000);

function befall(proxy: Proxy, fault: Exclude<(typeof faults)[number], "kill">, random: () => number): void {
  if (fault === "refuse") proxy.state = "refuses";
  if (fault === "cut in the handshake")
    proxy.nextCut = { direction: "up", bytes: Math.floor(random() * 200) };
  for (const connection of proxy.open) {
    if (fault === "half") connection.breakFor("client");
    else if (fault === "cut later") connection.cutAfter("down", Math.floor(random() * 3000));
    else connection.cut();
  }
}

function listen(url: string): Listener {
  const listener = new Listener(url, () => 0.05);
  onTestFinished(() => listener.client.close());
  return listener;
}

function portOf({ api }: ServerProcess): number {
  return Number(new URL(api.url).port);
}

/** Asked again whenever the listener is told something, because the answer may be older or newer. */
async function untilEqual(
  listener: Listener,
  name: "tasks" | "device",
  ask: () => Promise<unknown>,
): Promise<void> {
  for (;;) {
    const { state } = listener.client[name].get();
    if (isDeepStrictEqual(state, await ask())) return;
    await listener.until(() => listener.client[name].get().state !== state);
  }
}
