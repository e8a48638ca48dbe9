import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { expect, test } from "vitest";
import type { ScannerClient } from "../src/index.js";
import type { FakeScanner } from "../src/testing/index.js";

const packageFolder = fileURLToPath(new URL("..", import.meta.url));

test("the scanner in memory does what the README shows", async () => {
  const readme = await readFile(join(packageFolder, "README.md"), "utf8");
  const example = /```js\n([^`]*createFakeScanner[^`]*)```/.exec(readme)?.[1] ?? "";
  const folder = await mkdtemp(join(tmpdir(), "openscan-readme-"));
  const outfile = join(folder, "example.mjs");
  try {
    await build({
      stdin: { contents: `${example}\nexport { fake, scanner };`, resolveDir: packageFolder },
      bundle: true,
      format: "esm",
      platform: "node",
      conditions: ["@openscan/source"],
      outfile,
    });
    const { fake, scanner } = (await import(outfile)) as { fake: FakeScanner; scanner: ScannerClient };
    const states = { device: scanner.device.events(), tasks: scanner.tasks.events() };
    expect(await states.device.next()).toMatchObject({
      value: { type: "resync", state: { name: "Mini", motors: { turntable: { angle: 90 } } } },
    });
    expect(await states.tasks.next()).toMatchObject({
      value: { type: "resync", state: [{ id: "task-1", status: "completed", progress: { current: 5 } }] },
    });
    expect([fake.connections("device"), fake.connections("tasks")]).toEqual([1, 1]);
    scanner.close();
  } finally {
    await rm(folder, { recursive: true });
  }
});
