import type { DeviceOptions, TaskOptions } from "./scanner-client.js";

/** The query of a stream's URL. */
export function streamQuery(options: TaskOptions & DeviceOptions): string {
  const { minIntervalMs, delta, ...lists } = options;
  const query = new URLSearchParams({ v: "1" });
  for (const [name, values] of Object.entries(lists)) if (values) query.set(name, values.join(","));
  if (minIntervalMs !== undefined) query.set("min_interval", String(minIntervalMs));
  if (delta) query.set("delta", "1");
  return query.toString();
}
