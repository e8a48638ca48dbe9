import { readFile } from "node:fs/promises";
import { Hello } from "@openscan/protocol";
import { expect, test } from "vitest";
import type { Api } from "./support/api.js";
import { became } from "./support/api.js";
import { type Metric, parseExposition } from "./support/exposition.js";
import { startServer } from "./support/in-process.js";

async function scrape(api: Api): Promise<ReadonlyMap<string, Metric>> {
  const { status, headers, body } = await api.call<string>("GET", "/metrics");
  expect(status).toBe(200);
  expect(headers.get("Content-Type")).toBe("text/plain; version=0.0.4; charset=utf-8");
  return parseExposition(body);
}

async function value(api: Api, name: string, sample = ""): Promise<number> {
  const found = (await scrape(api)).get(`openscan_${name}`)?.samples.get(sample);
  if (found === undefined) throw new Error(`there is no ${name}${sample}`);
  return found;
}

/** A close is known to the server a moment after it is to the client. */
async function becomes(read: () => Promise<number>, expected: number): Promise<void> {
  while ((await read()) !== expected);
}

test("connections are counted up and down, by stream and dialect", async () => {
  const { api } = await startServer();
  const count = (labels: string) => value(api, "connections", labels);
  const listeners = [
    await api.listen("tasks"),
    await api.listen("tasks", "/api/v0.9"),
    await api.listen("tasks", "", "?v=1"),
    await api.listen("device", "/latest", "?v=1"),
  ];
  expect(await count('{namespace="tasks",dialect="legacy"}')).toBe(2);
  expect(await count('{namespace="tasks",dialect="v1"}')).toBe(1);
  expect(await count('{namespace="device",dialect="v1"}')).toBe(1);
  expect(await count('{namespace="device",dialect="legacy"}')).toBe(0);
  for (const { socket } of listeners.slice(1)) socket.close();
  await becomes(() => count('{namespace="tasks",dialect="legacy"}'), 1);
  await becomes(() => count('{namespace="tasks",dialect="v1"}'), 0);
  await becomes(() => count('{namespace="device",dialect="v1"}'), 0);
});

test("resumes are counted by their result, and each snapshot is", async () => {
  const { api } = await startServer();
  const first = await api.listen("device", "", "?v=1");
  const { epoch, seq } = Hello.parse(await first.find(({ type }) => type === "hello"));
  await first.count(1, ({ snapshot }) => snapshot === true);
  expect(await value(api, "snapshots_total")).toBe(1);
  const hellos = ["", "x"].map(async (foreign) => {
    const again = await api.listen("device", "", `?v=1&since=${seq}&epoch=${epoch}${foreign}`);
    return Hello.parse(await again.find(({ type }) => type === "hello")).resume.recovered;
  });
  expect(await Promise.all(hellos)).toEqual([true, false]);
  expect(await value(api, "resumes_total", '{result="recovered"}')).toBe(1);
  expect(await value(api, "resumes_total", '{result="refused"}')).toBe(1);
  await becomes(() => value(api, "snapshots_total"), 2);
});

test("a scan: as many steps as positions, as many captures and stores as photos, and its task", async () => {
  const { api } = await startServer();
  const viewer = await api.listen("tasks");
  const { id } = await api.startScan("vase", { points: 2, focus_stacks: 2 });
  const during = scrape(api);
  await viewer.find(became(id, "completed"));
  expect((await during).get("openscan_photos_captured_total")?.samples.get("")).toBeLessThan(4);

  const metrics = await scrape(api);
  const sample = (name: string, labels = "") =>
    metrics.get(`openscan_${name}`)?.samples.get(labels) ?? Number.NaN;
  expect(sample("photos_captured_total")).toBe(4);
  expect(sample("scan_step_duration_seconds", "_count")).toBe(2);
  const phase = (name: string, of: string) => sample("scan_phase_duration_seconds", `${name}{phase="${of}"}`);
  expect(phase("_count", "move")).toBe(2);
  expect(phase("_count", "capture")).toBe(4);
  expect(phase("_count", "store")).toBe(4);
  const steps = sample("scan_step_duration_seconds", "_sum");
  expect(steps).toBeGreaterThan(0.05);
  expect(phase("_sum", "move") + phase("_sum", "capture")).toBeLessThan(steps);
  expect(sample("tasks", '{status="completed"}')).toBe(1);
  expect(sample("tasks", '{status="running"}')).toBe(0);
  expect(sample("flush_duration_seconds", '_count{namespace="tasks"}')).toBeGreaterThan(0);
  expect(sample("flush_duration_seconds", '_sum{namespace="tasks"}')).toBeGreaterThan(0);
  expect(sample("queue_bytes")).toBe(0);
  expect(sample("oldest_pong_age_seconds")).toBeGreaterThan(0);
}, 120_000);

test("docs/metrics.md lists exactly what /metrics shows, with types and labels", async () => {
  const { api } = await startServer();
  const viewer = await api.listen("tasks");
  const metrics = await scrape(api);
  viewer.socket.close();
  const document = await readFile(new URL("../../../docs/metrics.md", import.meta.url), "utf8");
  const rows = [...document.matchAll(/^\| `(openscan_\w+\*?)` \| (\w+) \|([^|]*)\|/gm)].map(
    ([, name = "", type, labels = ""]) => ({
      name,
      type,
      labels: [...labels.matchAll(/`(\w+)`/g)].map(([, label]) => label),
    }),
  );
  for (const { name, type, labels } of rows.filter(({ name }) => !name.endsWith("*"))) {
    const metric = metrics.get(name);
    const found = [
      ...new Set([...(metric?.samples.keys() ?? [])].flatMap((key) => key.match(/\w+(?==")/g) ?? [])),
    ];
    expect([type, labels], name).toEqual([metric?.type, found.filter((label) => label !== "le")]);
  }
  const covers = (row: string, name: string) =>
    row.endsWith("*") ? name.startsWith(row.slice(0, -1)) : name === row;
  for (const name of metrics.keys())
    expect(
      rows.filter((row) => covers(row.name, name)),
      name,
    ).toHaveLength(1);
  for (const row of rows)
    expect(
      [...metrics.keys()].some((name) => covers(row.name, name)),
      row.name,
    ).toBe(true);
});
