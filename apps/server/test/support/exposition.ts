/** The samples of one metric, by their labels as written, e.g. `{phase="move"}`; empty without labels. */
export interface Metric {
  readonly type: string;
  readonly help: string;
  readonly samples: ReadonlyMap<string, number>;
}

const sampleLine =
  /^([a-z_][a-z0-9_]*)(\{(?:[a-z_]+="[^"\\\n]*",?)+\})? (-?[0-9.]+(?:e[+-]?\d+)?|[Nn]a[Nn]|[+-]Inf)$/;

/**
 * Reads the text format of Prometheus, version 0.0.4, strictly: HELP and TYPE before the samples of a metric, all of
 * these together, none twice, and histograms that add up.
 */
export function parseExposition(text: string): ReadonlyMap<string, Metric> {
  if (!text.endsWith("\n")) throw new Error("the last line has no end");
  const metrics = new Map<string, Metric & { samples: Map<string, number> }>();
  let name = "";
  let help = "";
  for (const line of text.split("\n")) {
    if (line === "") continue;
    const [, keyword, subject = "", rest = ""] = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line) ?? [];
    if (keyword === "HELP") {
      if (metrics.has(subject)) throw new Error(`${subject} comes twice`);
      [name, help] = [subject, rest];
    } else if (keyword === "TYPE") {
      if (subject !== name) throw new Error(`TYPE of ${subject} after HELP of ${name}`);
      metrics.set(name, { type: rest, help, samples: new Map() });
    } else {
      addSample(metrics.get(name), name, line);
    }
  }
  for (const [name, metric] of metrics) if (metric.type === "histogram") checkHistogram(name, metric.samples);
  return metrics;
}

function addSample(
  metric: (Metric & { samples: Map<string, number> }) | undefined,
  name: string,
  line: string,
): void {
  const [, sample = "", labels = "", value] = sampleLine.exec(line) ?? [];
  const suffix = sample.slice(name.length);
  const allowed = metric?.type === "histogram" ? ["_bucket", "_sum", "_count"] : [""];
  if (!metric || !sample.startsWith(name) || !allowed.includes(suffix))
    throw new Error(`not a sample of ${name}: ${line}`);
  if (metric.samples.has(suffix + labels)) throw new Error(`twice: ${line}`);
  metric.samples.set(suffix + labels, Number(value));
}

function checkHistogram(name: string, samples: ReadonlyMap<string, number>): void {
  const buckets = new Map<string, [le: string, count: number][]>();
  for (const [key, count] of samples) {
    if (!key.startsWith("_bucket")) continue;
    const [matched = "", le = ""] = /le="([^"]*)",?/.exec(key) ?? [];
    const labels = key.slice("_bucket".length).replace(matched, "").replace("{}", "");
    buckets.set(labels, [...(buckets.get(labels) ?? []), [le, count]]);
  }
  for (const [labels, series] of buckets) {
    const grow = series.every(([, count], index) => count >= (series[index - 1]?.[1] ?? 0));
    const [le, all] = series.at(-1) ?? [];
    if (!grow || le !== "+Inf" || all !== samples.get(`_count${labels}`) || !samples.has(`_sum${labels}`))
      throw new Error(`the histogram ${name}${labels} does not add up`);
  }
}
