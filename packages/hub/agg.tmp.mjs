import { readFileSync } from "node:fs";
const agg = (f) => {
  const h = JSON.parse(readFileSync(f));
  const { node_fields: nf, node_types: nt } = h.snapshot.meta;
  const m = new Map();
  for (let i = 0; i < h.nodes.length; i += nf.length) {
    const t = nt[0][h.nodes[i]],
      n = h.strings[h.nodes[i + 1]].slice(0, 60),
      s = h.nodes[i + 3];
    const k = t + " " + n;
    const e = m.get(k) ?? [0, 0];
    e[0]++;
    e[1] += s;
    m.set(k, e);
  }
  return m;
};
const a = agg("/tmp/heap-ws.heapsnapshot"),
  b = agg("/tmp/heap-legacy.heapsnapshot");
const d = [...b]
  .map(([k, [c, s]]) => [k, (c - (a.get(k)?.[0] ?? 0)) / 1700, (s - (a.get(k)?.[1] ?? 0)) / 1700])
  .filter((x) => (x[1] >= 0.9 && x[2] > 5) || x[2] < -5)
  .sort((x, y) => y[2] - x[2]);
for (const x of d.slice(0, 40)) console.log(x[0], x[1].toFixed(2), x[2].toFixed(0));
