import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const main = fileURLToPath(new URL("../apps/server/dist/main.js", import.meta.url));
const pollMs = 200;

/** Between two looks of the histogram behind /metrics. */
const LOOK_MS = 10;

/** The real server with its simulated scanner, in a process of its own, with all its files in one folder. */
export class ScannerProcess {
  url;
  #child;

  static async start(folder) {
    const scanner = new ScannerProcess(folder);
    scanner.url = await scanner.#address();
    return scanner;
  }

  constructor(folder) {
    const directories = ["settings", "project", "runtime", "log"].flatMap((name) => [
      `--${name}-dir`,
      join(folder, name),
    ]);
    const args = [main, "--port", "0", "--host", "127.0.0.1", "--log-level", "error", ...directories];
    this.#child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
    process.prependOnceListener("exit", () => this.#child.kill("SIGKILL")); // before its files are removed
  }

  get pid() {
    return this.#child.pid;
  }

  get port() {
    return Number(new URL(this.url).port);
  }

  /** @returns the reply's JSON, or its text, and its headers */
  async call(method, path, body) {
    const headers = body === undefined ? {} : { "Content-Type": "application/json" };
    const reply = await fetch(`${this.url}${path}`, { method, headers, body: body && JSON.stringify(body) });
    const text = await reply.text();
    if (!reply.ok) throw new Error(`${method} ${path}: ${reply.status} ${text}`);
    const isJson = reply.headers.get("Content-Type")?.includes("json");
    return { body: isJson ? JSON.parse(text) : text, headers: reply.headers };
  }

  /** Scans, and resolves with the scan and the seconds that each of its steps took by the server's own clock. */
  async scan(project, camera, settings) {
    const steps = [];
    let before = await this.#stepTotals();
    const path = `/latest/projects/${project}/scan?camera_name=${encodeURIComponent(camera)}`;
    let { body: task } = await this.call("POST", path, settings);
    const [{ index }] = task.run_args;
    while (["pending", "running"].includes(task.status)) {
      await sleep(pollMs);
      ({ body: task } = await this.call("GET", `/latest/tasks/${task.id}`));
      const now = await this.#stepTotals();
      const count = now.count - before.count;
      for (let step = 0; step < count; step++) steps.push((now.sum - before.sum) / count);
      before = now;
    }
    if (task.status !== "completed") throw new Error(`the scan ended as ${task.status}: ${task.error}`);
    const { body: scan } = await this.call("GET", `/latest/projects/${project}/scans/${index}`);
    return { scan, steps };
  }

  /** Resolves with a task that has ended. */
  async ended(id) {
    for (;;) {
      const { body: task } = await this.call("GET", `/latest/tasks/${id}`);
      if (!["pending", "running"].includes(task.status)) return task;
      await sleep(pollMs);
    }
  }

  /** How late the event loop was since this was asked last, in ms. */
  /** How late the event loop's timers were: what is told includes the interval in which it is looked at. */
  async loopDelays() {
    const metrics = await this.#metrics();
    const ms = (figure) =>
      Math.max(0, 1000 * valueOf(`openscan_nodejs_eventloop_lag_${figure}_seconds`, metrics) - LOOK_MS);
    return { p50: ms("p50"), p99: ms("p99"), max: ms("max") };
  }

  /** The newest event of the stream that a path of the API describes. */
  async seq(path) {
    const { headers } = await this.call("GET", `/latest/${path}`);
    return Number(headers.get("OpenScan-Seq"));
  }

  /** A value of /metrics by its name and labels. */
  async metric(name) {
    return valueOf(name, await this.#metrics());
  }

  async stop() {
    this.#child.kill();
    await once(this.#child, "exit");
  }

  /** A histogram's buckets are coarse, but its sum, looked at often enough, tells of every step exactly. */
  async #stepTotals() {
    const metrics = await this.#metrics();
    const total = (what) => valueOf(`openscan_scan_step_duration_seconds_${what}`, metrics);
    return { sum: total("sum"), count: total("count") };
  }

  async #metrics() {
    return (await this.call("GET", "/metrics")).body;
  }

  async #address() {
    let output = "";
    for await (const chunk of this.#child.stdout.iterator({ destroyOnReturn: false })) {
      output += chunk;
      const address = /open {2}(http:\/\/\S+)\/$/m.exec(output)?.[1];
      if (address) {
        this.#child.stdout.resume();
        return address;
      }
    }
    throw new Error(`the server ended:\n${output}`);
  }
}

function valueOf(name, metrics) {
  const line = metrics.split("\n").find((line) => line.startsWith(`${name} `));
  if (!line) throw new Error(`/metrics has no ${name}`);
  return Number(line.slice(name.length));
}
