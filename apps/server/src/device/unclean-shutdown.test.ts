import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FakeClock } from "@openscan/runtime/testing";
import { afterEach, beforeEach, expect, test } from "vitest";
import { UncleanShutdown } from "./unclean-shutdown.js";

let directory = "";
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "openscan-state-"));
});
afterEach(() => rm(directory, { recursive: true }));
async function start(): Promise<UncleanShutdown> {
  const shutdown = new UncleanShutdown(directory, "1.2.3", new FakeClock(0));
  await shutdown.start();
  return shutdown;
}

test("a start that did not end in order is reported by the next one, and only by that", async () => {
  expect((await start()).lastWasUnclean).toBe(false);
  const second = await start();
  expect(second.lastWasUnclean).toBe(true);
  await second.markClean();
  expect((await start()).lastWasUnclean).toBe(false);
});

test("the file has the fields of the existing backend", async () => {
  await start();
  expect(JSON.parse(await readFile(join(directory, "firmware_state.lock"), "utf8"))).toEqual({
    version: 1,
    unclean_shutdown: true,
    last_shutdown_was_unclean: false,
    updated_at: "1970-01-01T00:00:00.000Z",
    last_seen_firmware_version: "1.2.3",
  });
});

test("a half-written file does not keep the server from starting", async () => {
  await writeFile(join(directory, "firmware_state.lock"), '{"unclean_');
  expect((await start()).lastWasUnclean).toBe(false);
});
