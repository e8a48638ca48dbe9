import { execFile, spawn } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Task } from "@openscan/protocol";
import { expect, onTestFinished, test } from "vitest";
import { became } from "./support/api.js";
import { awaitReady } from "./support/child.js";

const root = fileURLToPath(new URL("../../..", import.meta.url));

test("npm start serves a simulated scanner, and the README's curl commands scan with it", async () => {
  const readme = await readFile(join(root, "README.md"), "utf8");
  const commands =
    /## A scan in four commands[\s\S]*?```sh\n([\s\S]*?)```/.exec(readme)?.[1]?.trim().split("\n") ?? [];
  expect(commands).toHaveLength(4);
  const folder = await mkdtemp(join(tmpdir(), "openscan-readme-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const directories = Object.fromEntries(
    ["SETTINGS", "PROJECT", "RUNTIME", "LOG"].map((kind) => [
      `OPENSCAN_${kind}_DIR`,
      join(folder, kind.toLowerCase()),
    ]),
  );
  const child = spawn("npm", ["start", "--", "--port", "0"], {
    cwd: root,
    env: { ...process.env, ...directories },
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  onTestFinished(() => {
    if (child.exitCode === null) process.kill(-(child.pid ?? 0), "SIGKILL");
  });
  const server = await awaitReady(child);
  expect(server.output()).toContain("everything is simulated");
  const tasks = await server.api.listen("tasks");
  const outputs: string[] = [];
  for (const command of commands) {
    const { stdout } = await promisify(execFile)("bash", [
      "-c",
      command.replaceAll("localhost:8000", server.api.url),
    ]);
    outputs.push(stdout);
  }
  const { id } = JSON.parse(outputs[1] ?? "") as Task;
  expect(JSON.parse(outputs[2] ?? "")).toMatchObject([{ id }]);
  expect(JSON.parse(outputs[3] ?? "")).toMatchObject({ project_name: "vase", index: 1 });
  await tasks.find(became(id, "completed"));
  const photos = (await readdir(join(folder, "project", "vase", "scan01"))).filter((name) =>
    name.endsWith(".jpg"),
  );
  expect(photos).toHaveLength(20);
  expect(await readdir(join(folder, "project", "vase", "scan01", "metadata"))).toHaveLength(20);
  process.kill(-(child.pid ?? 0), "SIGINT");
  await expect(tasks.closed).resolves.toMatchObject({ code: 1001 });
}, 180_000);
