import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { askSystemd } from "./machine.js";

let directory = "";
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "openscan-machine-"));
});
afterEach(() => rm(directory, { recursive: true }));

/** A program in the place of systemctl that notes how it was called. */
async function program(script: string): Promise<string> {
  const path = join(directory, "systemctl");
  await writeFile(path, `#!/bin/sh\necho "$@" > '${directory}/called'\n${script}\n`);
  await chmod(path, 0o755);
  return path;
}

test.each([
  ["reboot", "--no-ask-password reboot\n"],
  ["shutdown", "--no-ask-password poweroff\n"],
] as const)("%s asks systemd to %s", async (action, called) => {
  await askSystemd(action, await program("exit 0"));
  expect(await readFile(join(directory, "called"), "utf8")).toBe(called);
});

test("D25: what systemd says against it is reported", async () => {
  const refusing = await program('echo "Access denied" >&2; exit 1');
  await expect(askSystemd("reboot", refusing)).rejects.toMatchObject({
    code: "hardware_fault",
    message: "reboot was refused: Access denied",
  });
  const silent = await program("exit 4");
  await expect(askSystemd("shutdown", silent)).rejects.toThrow(/^shutdown was refused: .+/);
});

test("D25: a machine without systemd says so", async () => {
  await expect(askSystemd("reboot", join(directory, "nothing"))).rejects.toMatchObject({
    code: "unsupported",
  });
});
