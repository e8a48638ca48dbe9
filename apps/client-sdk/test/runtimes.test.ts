import { execFile, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { build } from "esbuild";
import { expect, test } from "vitest";
import { device } from "./support/fixtures.js";
import { HubServer } from "./support/hub-server.js";
import { Recorder } from "./support/recorder.js";

/** Says on one line each what the store of the device tells. */
const PROGRAM = `
  import { createScannerClient } from "./index.js";
  const { device } = createScannerClient({ url: process.argv[2], random: () => 0.01 });
  const runtime = typeof Bun === "undefined" ? "node " + process.version.split(".")[0] : "bun";
  console.log(runtime, typeof WebSocket);
  for await (const event of device) console.log(event.type, event.lost ?? "", device.get().state.name);
`;

async function programIn(folder: string): Promise<string> {
  const outfile = join(folder, "program.mjs");
  const resolveDir = fileURLToPath(new URL("../src", import.meta.url));
  const stdin = { contents: PROGRAM, resolveDir };
  await build({ stdin, bundle: true, minify: true, format: "esm", platform: "neutral", outfile });
  return outfile;
}

/** Where npm puts a runtime; `undefined` when it cannot, as without a network. */
async function installed(name: string, command: string): Promise<string | undefined> {
  const args = ["--yes", "--prefer-offline", "--package", name, "--call", `command -v ${command}`];
  try {
    const { stdout } = await promisify(execFile)("npx", args, { timeout: 120_000 });
    return stdout.trim() || undefined;
  } catch {
    return undefined;
  }
}

test.for([
  ["node@22", "node", "node v22 function"],
  ["node@24", "node", "node v24 function"],
  ["bun", "bun", "bun function"],
] as const)(
  "with the WebSocket of %s: live, cut, resumed, and right again after a restart",
  { timeout: 180_000 },
  async ([name, command, greeting], { skip }) => {
    const runtime = (await installed(name, command)) ?? skip(`npm could not install ${name}`);
    const server = await HubServer.start();
    // Far from any node_modules: the package ws is not there.
    const folder = await mkdtemp(join(tmpdir(), "openscan-runtime-"));
    const program = spawn(runtime, [await programIn(folder), server.url], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const lines = new Recorder<string>((listener) => {
      createInterface({ input: program.stdout }).on("line", listener);
      return () => {};
    });
    try {
      await lines.count(2);
      server.updateDevice(device("two"), ["name"]);
      await lines.count(3);
      server.cut();
      server.updateDevice(device("three"), ["name"]);
      await lines.count(4);
      await server.kill();
      server.device = device("four");
      await server.start();
      await lines.count(5);
      expect(lines.events).toEqual([
        greeting,
        "resync false one",
        "device.status  two",
        "device.status  three",
        "resync true four",
      ]);
    } finally {
      program.kill("SIGKILL");
      await rm(folder, { recursive: true });
      await server.kill();
    }
  },
);
