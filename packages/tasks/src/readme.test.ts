import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const packageFolder = fileURLToPath(new URL("..", import.meta.url));

test("the example of the README runs against the built package", async () => {
  const readme = await readFile(join(packageFolder, "README.md"), "utf8");
  const example = /```ts\n(.*?)```/s.exec(readme)?.[1] ?? "";
  const directory = await mkdtemp(join(tmpdir(), "openscan-readme-"));
  try {
    const code = example.replace("/tmp/countdown-tasks", directory);
    const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", code], {
      cwd: packageFolder,
    });
    expect(stdout).toContain("running { current: 3, total: 5, message: '2 left' }");
    expect(stdout.trimEnd().endsWith("lift-off")).toBe(true);
  } finally {
    await rm(directory, { recursive: true });
  }
});
