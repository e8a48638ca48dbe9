import { readFile } from "node:fs/promises";
import { expect, onTestFinished, test } from "vitest";
import { type Api, became, type Listener, type Message, taskOf } from "./support/api.js";
import { spawnServer } from "./support/child.js";
import { createFolder, quickConfiguration } from "./support/folder.js";
import { rawClient, textFrame } from "./support/raw-client.js";

test("clients that stall, send garbage or vanish disturb neither the scan nor 20 healthy clients", async () => {
  const folder = await createFolder(await quickConfiguration());
  onTestFinished(() => folder.remove());
  const server = await spawnServer(folder);
  const { api } = server;
  const healthy = await Promise.all(Array.from({ length: 20 }, () => api.listen("tasks")));
  const watcher = await api.listen("device");
  const { id } = await api.startScan("vase", { points: 15 });
  const running = (at: number) =>
    healthy[0]?.find((message) => became(id, "running")(message) && taskOf(message).progress.current >= at);
  await running(1);
  await storm(api, 2000);
  const memoryBefore = await residentMiB(server.process.pid);

  const stalled = await Promise.all(Array.from({ length: 5 }, () => rawClient(api, "device")));
  for (const socket of stalled) socket.pause();
  const garbage = await api.listen("tasks");
  for (const text of ["", "{", "null", '{"type":"pong"}', "\u0000", "x".repeat(60_000)])
    garbage.socket.send(text);
  const huge = await api.listen("tasks");
  huge.socket.send("x".repeat(1_000_000));
  const binary = await api.listen("device");
  binary.socket.send(Buffer.from([1, 2, 3]));
  const noise = await rawClient(api, "tasks");
  noise.write(Buffer.from(Array.from({ length: 500 }, (_, i) => (i * 37) % 256)));
  const oversized = await rawClient(api, "device");
  oversized.write(textFrame(Buffer.alloc(1_000_000, "x")));
  const vanished = await rawClient(api, "device");
  vanished.resetAndDestroy();
  // Ten times what a stalled client's kernel takes: the rest must not pile up in the server.
  await storm(api, 10_000);

  for (const listener of healthy) await listener.find(became(id, "completed"));
  expect(await Promise.all([huge.closed, binary.closed])).toMatchObject([{ code: 1009 }, { code: 1003 }]);
  expect(garbage.socket.readyState).toBe(garbage.socket.OPEN);
  expectComplete(healthy, id);
  const isToggle = ({ changed }: Message) => (changed as string[])[0]?.endsWith(".is_on") ?? false;
  await watcher.count(12_000, isToggle);
  expect(watcher.messages.filter(isToggle)).toHaveLength(12_000);
  expect((await residentMiB(server.process.pid)) - memoryBefore).toBeLessThan(100);
  for (const socket of [...stalled, noise, oversized]) socket.destroy();
}, 120_000);

/** Switches a light so many times, which makes an event of some 3 kB each. */
async function storm(api: Api, times: number): Promise<void> {
  const toggle = () => api.call("PATCH", "/latest/lights/Openscan.eu%20Ringlight/toggle");
  for (let i = 0; i < times; i += 20) await Promise.all(Array.from({ length: 20 }, toggle));
}

async function residentMiB(pid: number | undefined): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1024;
}

function expectComplete(listeners: readonly Listener[], id: string): void {
  for (const { frames } of listeners) expect(frames).toEqual(listeners[0]?.frames);
  const tasks = listeners[0]?.messages.filter(({ type }) => type === "task.update").map(taskOf) ?? [];
  const steps = tasks
    .filter((task) => task.id === id && task.status === "running")
    .map(({ progress }) => progress.current);
  for (let step = 1; step <= 15; step++) expect(steps).toContain(step);
}
