import type { HubStats } from "@openscan/hub";
import { type NamespaceName, namespaces, type Task, TaskStatus } from "@openscan/protocol";
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { ScanPhase } from "./tasks/scan-task.js";

export interface MetricsSources {
  readonly stats: () => HubStats;
  readonly tasks: () => readonly Pick<Task, "status">[];
}

type Labels = Readonly<Record<string, string>>;
type Sample = readonly [value: number, labels?: Labels];

const flushSeconds = [1e-5, 2.5e-5, 5e-5, 1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 0.01, 0.025, 0.1];
const scanSeconds = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 60];
const parts = ["move", "capture", "store"] as const;

/** What Prometheus reads; docs/metrics.md lists it. Most figures are taken from their owners when it asks. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #flush = new Histogram({
    name: "openscan_flush_duration_seconds",
    help: "Writing the events of one turn to the sockets of all subscribers",
    labelNames: ["namespace"],
    buckets: flushSeconds,
    registers: [this.#registry],
  });
  readonly #step = new Histogram({
    name: "openscan_scan_step_duration_seconds",
    help: "One position of a scan, until its photos wait for the disk; without pauses",
    buckets: scanSeconds,
    registers: [this.#registry],
  });
  readonly #part = new Histogram({
    name: "openscan_scan_phase_duration_seconds",
    help: "Parts of a step of a scan; a photo is stored while the next step goes on",
    labelNames: ["phase"],
    buckets: scanSeconds,
    registers: [this.#registry],
  });
  readonly #photos = new Counter({
    name: "openscan_photos_captured_total",
    help: "Photos of scans that are on the disk",
    registers: [this.#registry],
  });

  constructor({ stats, tasks }: MetricsSources) {
    // A series that begins with its first event would hide that event from rate().
    for (const namespace of Object.keys(namespaces)) this.#flush.zero({ namespace });
    for (const phase of parts) this.#part.zero({ phase });
    collectDefaultMetrics({ register: this.#registry, prefix: "openscan_" });

    this.#read("gauge", "openscan_connections", "Open WebSocket connections", ["namespace", "dialect"], () =>
      Object.entries(stats().connections).flatMap(([namespace, dialects]) =>
        Object.entries(dialects).map(([dialect, count]): Sample => [count, { namespace, dialect }]),
      ),
    );
    this.#read(
      "gauge",
      "openscan_queue_bytes",
      "Bytes that wait for clients outside of the kernel",
      [],
      () => [[stats().queuedBytes]],
    );
    this.#read(
      "gauge",
      "openscan_oldest_pong_age_seconds",
      "Longest time since a client's last pong",
      [],
      () => [[stats().oldestPongMs / 1000]],
    );
    this.#read("gauge", "openscan_tasks", "Tasks in the list", ["status"], () => {
      const all = tasks();
      return TaskStatus.options.map((status) => [
        all.filter((task) => task.status === status).length,
        { status },
      ]);
    });
    this.#read("counter", "openscan_events_merged_total", "State events joined with a newer one", [], () => [
      [stats().merged],
    ]);
    this.#read("counter", "openscan_events_dropped_total", "State events replaced by a snapshot", [], () => [
      [stats().dropped],
    ]);
    this.#read("counter", "openscan_snapshots_total", "Snapshots sent", [], () => [[stats().snapshots]]);
    this.#read("counter", "openscan_resumes_total", "Connections that asked to resume", ["result"], () => {
      const { recovered, refused } = stats().resumes;
      return [
        [recovered, { result: "recovered" }],
        [refused, { result: "refused" }],
      ];
    });
    this.#read(
      "counter",
      "openscan_forced_closes_total",
      "Connections ended by the server",
      ["reason"],
      () => {
        const { closedSlow, closedFull } = stats();
        return [
          [closedSlow, { reason: "slow" }],
          [closedFull, { reason: "full" }],
        ];
      },
    );
  }

  /** For the hub. */
  readonly onFlushed = (namespace: NamespaceName, seconds: number): void => {
    this.#flush.observe({ namespace }, seconds);
  };

  /** For the scan task. */
  readonly onStep = (phase: ScanPhase, seconds: number): void => {
    if (phase === "step") {
      this.#step.observe(seconds);
      return;
    }
    this.#part.observe({ phase }, seconds);
    if (phase === "store") this.#photos.inc();
  };

  readonly contentType = this.#registry.contentType;

  /** All of it in the text format of Prometheus. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }

  /** A figure that is asked for at each scrape. */
  #read(
    type: "gauge" | "counter",
    name: string,
    help: string,
    labelNames: string[],
    read: () => readonly Sample[],
  ): void {
    const options = { name, help, labelNames, registers: [] };
    const metric =
      type === "gauge"
        ? new Gauge({
            ...options,
            collect() {
              for (const [value, labels = {}] of read()) this.set(labels, value);
            },
          })
        : new Counter({
            ...options,
            collect() {
              this.reset();
              for (const [value, labels = {}] of read()) this.inc(labels, value);
            },
          });
    this.#registry.registerMetric(metric);
  }
}
