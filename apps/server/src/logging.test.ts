import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from "vitest";
import type { Config } from "./config.js";
import { openLog } from "./logging.js";

let directory = "";
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "openscan-log-"));
});
afterEach(() => rm(directory, { recursive: true }));

function openLogFor(config: Config, terminal: PassThrough) {
  const opened = openLog(config, terminal);
  onTestFinished(() => opened.close());
  return opened;
}

test("a line goes to the terminal and the text file, and as JSON to the detailed log", async () => {
  const terminal = new PassThrough({ encoding: "utf8" });
  const { log, flush } = openLogFor(
    { logDir: join(directory, "logs"), logLevel: "info" } as Config,
    terminal,
  );
  log.debug({ hidden: true }, "not this");
  log.warn({ motor: "rotor", angle: 90, note: "two words" }, "moved");
  log.child({ task: 1 }).error({ err: new Error("disk full") }, "not saved");
  const text = () => readFile(join(directory, "logs", "openscan_firmware.log"), "utf8");
  await flush();
  const [first, second] = (await text()).split("\n");
  expect(first).toMatch(
    /^\d{4}-\d\d-\d\dT[\d:.]+Z - WARN - \[logging\.test:<anonymous>\] - moved motor=rotor angle=90 note="two words"$/,
  );
  expect(second).toMatch(/ - ERROR - \[logging\.test:<anonymous>\] - not saved task=1 err=Error: disk full/);
  expect(terminal.read()).toBe(await text());
  const detailed = () => readFile(join(directory, "logs", "openscan_detailed_log.json"), "utf8");
  expect(JSON.parse((await detailed()).split("\n")[0] ?? "")).toMatchObject({
    levelname: "WARN",
    message: "moved",
    motor: "rotor",
    angle: 90,
    name: "openscan",
    module: "logging.test",
    funcName: "<anonymous>",
    lineno: expect.any(Number) as number,
  });
  expect(await detailed()).not.toContain("not this");
});

test("a line names the function that wrote it, also of a class and after a wait", async () => {
  const { log, flush } = openLogFor({ logDir: directory, logLevel: "info" } as Config, new PassThrough());
  class Motor {
    async turn() {
      await Promise.resolve();
      log.child({ motor: "rotor" }).info({}, "turned");
    }
  }
  await new Motor().turn();
  const plain = () => log.info({}, "said");
  plain();
  await flush();
  const lines = (await readFile(join(directory, "openscan_firmware.log"), "utf8")).split("\n");
  expect(lines[0]).toMatch(/\[logging\.test:turn\] - turned motor=rotor$/);
  expect(lines[1]).toMatch(/\[logging\.test:plain\] - said$/);
});

test("flushing waits for no file that is given up", async () => {
  await mkdir(join(directory, "openscan_firmware.log"));
  const { log, flush } = openLogFor({ logDir: directory, logLevel: "info" } as Config, new PassThrough());
  log.info({}, "one");
  await flush();
  expect(await readFile(join(directory, "openscan_detailed_log.json"), "utf8")).toContain('"one"');
  await flush();
});

test("a file that cannot be written is given up once, and nothing piles up", async () => {
  const logs = join(directory, "logs");
  await mkdir(join(logs, "openscan_firmware.log"), { recursive: true });
  const terminal = new PassThrough({ encoding: "utf8" });
  const { log, flush } = openLogFor({ logDir: logs, logLevel: "info" } as Config, terminal);
  let shown = "";
  terminal.on("data", (chunk: string) => {
    shown += chunk;
  });
  await vi.waitFor(() => expect(shown).toContain("openscan_firmware.log is not written any more"), 20_000);
  for (let i = 0; i < 1000; i++) log.info({ i }, "still here");
  await flush();
  expect(shown).toContain("still here i=999");
  expect(shown.split("is not written any more")).toHaveLength(2);
  const detailed = await readFile(join(logs, "openscan_detailed_log.json"), "utf8");
  expect(detailed.trim().split("\n")).toHaveLength(1000);
});

test("a terminal that nobody reads any more ends nothing", async () => {
  const terminal = new PassThrough();
  const { log } = openLogFor({ logDir: join(directory, "logs"), logLevel: "info" } as Config, terminal);
  terminal.destroy(new Error("EPIPE"));
  await vi.waitFor(() => expect(terminal.closed).toBe(true));
  log.error({ err: new Error("after") }, "still in the file");
  const text = () => readFile(join(directory, "logs", "openscan_firmware.log"), "utf8");
  await vi.waitFor(async () => expect(await text()).toContain("still in the file"));
});
