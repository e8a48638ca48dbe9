#!/usr/bin/env node
// Prints every step of the scanner's tasks and every change of its device.
import { parseArgs } from "node:util";
import { createScannerClient } from "@openscan/client-sdk";

const { values } = parseArgs({
  options: {
    url: { type: "string", default: "http://localhost:8000" },
    version: { type: "string", default: "latest" },
    help: { type: "boolean", short: "h" },
  },
});
if (values.help) {
  console.log("Usage: watch.mjs [--url http://localhost:8000] [--version latest]");
  process.exit();
}

const scanner = createScannerClient({
  url: values.url,
  version: values.version,
  onError: (error) => console.log(`trouble: ${error.message}`),
});

/** Says how far what is printed can be trusted. */
function showFreshness(name, store) {
  let before;
  store.subscribe(() => {
    const { status } = store.get().freshness;
    if (status !== before) console.log(`${name} ${status}`);
    before = status;
  });
}

function showTask({ id, name, status, progress, error }) {
  const message = error ?? progress.message;
  console.log(`task ${id} ${name} ${status} ${progress.current}/${progress.total} ${message}`.trimEnd());
}

async function watchTasks() {
  for await (const event of scanner.tasks) {
    if (event.type === "resync") event.state.forEach(showTask);
    if (event.type === "task.update") showTask(event.task);
    if (event.type === "photo.captured") console.log(`photo ${event.project} ${event.scan} ${event.file}`);
  }
}

async function watchDevice() {
  for await (const event of scanner.device) {
    if (event.type === "resync") console.log(`device ${event.state?.name ?? "is not configured yet"}`);
    if (event.type === "device.status") console.log(`changed ${event.changed?.join(", ") ?? "anything"}`);
    if (event.type === "device.fault") console.log(`fault of ${event.component}: ${event.message}`);
  }
}

showFreshness("tasks", scanner.tasks);
showFreshness("device", scanner.device);
process.once("SIGINT", () => scanner.close());
await Promise.all([watchTasks(), watchDevice()]);
