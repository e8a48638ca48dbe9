import { parseArgs } from "node:util";
import { measureFanOut, variants } from "./fan-out.mjs";

const usage = `Measures how many events the hub delivers, against plain ws on the same machine.

node bench/run.mjs [options]            (needs the built packages; "pnpm bench" builds them first)
  --clients <n,…>   subscribers                      default 100,1000
  --batch <n,…>     events per turn of the event loop  default 1,8
  --rounds <n>      interleaved rounds, at least 3     default 3
  --json            the rows as JSON
  --help

CPU is the server's time per delivery (one event to one subscriber); trust its ratio, not the wall rate, when
other programs run. Every byte of every delivery is checked.`;

const { values } = parseArgs({
  options: {
    clients: { type: "string", default: "100,1000" },
    batch: { type: "string", default: "1,8" },
    rounds: { type: "string", default: "3" },
    json: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});

function positive(name, text, least = 1) {
  const number = Number(text);
  if (Number.isInteger(number) && number >= least) return number;
  console.error(`--${name} ${text}: must be a whole number of at least ${least}\n\n${usage}`);
  process.exit(2);
}

function print(rows) {
  console.log(`${"clients".padStart(7)}  B  ${"variant".padEnd(36)} CPU µs  x string  k/s  x string`);
  for (const row of rows) {
    const reference = rows.find(
      ({ clients, batch, variant }) => clients === row.clients && batch === row.batch && variant === "string",
    );
    console.log(
      [
        String(row.clients).padStart(7),
        String(row.batch).padStart(2),
        ` ${variants[row.variant].padEnd(36)}`,
        row.cpuMicros.toFixed(1).padStart(5),
        (row.cpuMicros / reference.cpuMicros).toFixed(2).padStart(9),
        (row.perSecond / 1000).toFixed(0).padStart(4),
        (row.perSecond / reference.perSecond).toFixed(2).padStart(9),
      ].join(" "),
    );
  }
}

if (values.help) {
  console.log(usage);
} else {
  const batches = values.batch.split(",").map((text) => positive("batch", text));
  const rounds = positive("rounds", values.rounds, 3);
  const rows = [];
  for (const clients of values.clients.split(",").map((text) => positive("clients", text))) {
    rows.push(...(await measureFanOut({ clients, batches, rounds })));
  }
  if (values.json) console.log(JSON.stringify(rows, null, 2));
  else print(rows);
}
