import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { expect, test } from "vitest";
import { completed, running } from "./support/fixtures.js";
import { Recorder } from "./support/recorder.js";
import { HubServer } from "./support/hub-server.js";
import { revised } from "./support/messages.js";

const packageFolder = fileURLToPath(new URL("..", import.meta.url));

/** The first code block, made to run against another server; nothing else about it is changed. */
async function exampleAgainst(url: string, outfile: string): Promise<void> {
  const readme = await readFile(join(packageFolder, "README.md"), "utf8");
  const example = /```js\n([\s\S]*?)```/.exec(readme)?.[1] ?? "";
  expect(example).toContain('"http://localhost:8000"');
  await build({
    stdin: { contents: example.replace("http://localhost:8000", url), resolveDir: packageFolder },
    bundle: true,
    format: "esm",
    platform: "node",
    conditions: ["@openscan/source"],
    outfile,
  });
}

test("the example of the README runs as it is written, and outlives the server", async () => {
  const server = await HubServer.start();
  // Below node_modules, so that Node finds the ws package from there.
  const folder = await mkdtemp(join(packageFolder, "node_modules", ".readme-"));
  const script = join(folder, "example.mjs");
  await exampleAgainst(server.url, script);
  const example = spawn(process.execPath, [script], { stdio: ["ignore", "pipe", "inherit"] });
  const lines = new Recorder<string>((listener) => {
    createInterface({ input: example.stdout }).on("line", listener);
    return () => {};
  });
  try {
    await lines.count(1);
    server.updateTask(revised(running("a", 1), 1));
    server.updateTask(revised(completed("a"), 2));
    await lines.count(3);
    await server.kill();
    await server.start();
    await lines.count(4);
    expect(lines.events).toEqual(["0 tasks", "scan_task is running", "scan_task is completed", "1 tasks"]);
  } finally {
    example.kill("SIGKILL");
    await rm(folder, { recursive: true });
    await server.kill();
  }
});
