#!/usr/bin/env node
import { readFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { systemClock } from "@openscan/runtime";
import { compose } from "./compose.js";
import { type Config, readConfig } from "./config.js";
import { isScanner } from "./device/find-hardware.js";
import { askSystemd, type Machine } from "./device/machine.js";
import { openLog } from "./logging.js";
import { restartExitCode, runSuccessors, supervisedVariable } from "./successor.js";
import { NetworkManager } from "./wifi/network-manager.js";

/** What a shutdown may take before it is ended the hard way: a wedged disk or driver must not keep the process. */
const shutdownLimitMs = 20_000;

const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
  version: string;
};

async function main(): Promise<void> {
  const invocation = readConfig(process.argv.slice(2), process.env, version);
  if ("print" in invocation) {
    process.stdout.write(`${invocation.print}\n`);
    return;
  }
  const config = invocation.run;
  const { log, flush, close: closeLog } = openLog(config, process.stdout);
  const supervised = Boolean(process.env[supervisedVariable]);
  let port = config.port;
  const startAnew = () => {
    // The last of two equal options counts: clients find us where we were, also when the port was any free one.
    const args = [...process.execArgv, ...process.argv.slice(1), "--port", String(port)];
    return runSuccessors(args, process.env);
  };
  const restart = () => stop("restart", supervised ? () => restartExitCode : startAnew);
  const network = new NetworkManager({ env: process.env, clock: systemClock, log });
  const machine: Machine = {
    goDown: askSystemd,
    goingDown: (action) => stop(action === "reboot" ? "restart" : "stop", () => 0),
  };
  const server = compose(config, {
    version,
    clock: systemClock,
    log,
    flushLog: flush,
    restart,
    network,
    ...(isScanner() && { machine }),
  });

  let closing: Promise<void> | undefined;
  let exit: () => number | Promise<number>;
  /** `then` is what the process does when it has shut down; the latest wish counts. */
  const stop = (reason: "stop" | "restart", then: typeof exit) => {
    exit = then;
    if (closing) return;
    const giveUp = systemClock.after(shutdownLimitMs, () => {
      log.error({ shutdownLimitMs }, "shutdown takes too long, giving up");
      process.exit(1);
    });
    closing = server.close(reason).then(
      async () => {
        await closeLog();
        giveUp();
        process.exit(await exit());
      },
      (err: unknown) => {
        log.error({ err }, "shutdown failed");
        process.exit(1);
      },
    );
  };
  process.on("SIGINT", () => stop("stop", () => 0));
  // What a service manager sends, also when it restarts us: clients may come back at once.
  process.on("SIGTERM", () => stop("restart", () => 0));
  // A parent that was killed cannot start us again, nor tell anybody that we still run.
  if (supervised) process.on("disconnect", () => stop("stop", () => 0));
  process.on("uncaughtException", (err) => {
    log.error({ err }, "unexpected error, stopping the scanner");
    stop("restart", () => 1);
  });

  port = await server.listen();
  try {
    await server.initialize();
  } catch (error) {
    // A shutdown takes the device away from under it; that is no failure, and ends the process itself.
    if (!closing) throw error;
    log.info({ err: error }, "the start was broken off");
  }
  if (closing) return;
  process.stdout.write(`${greeting(config, port)}\n`);
}

function greeting({ host }: Config, port: number): string {
  const everywhere = host === "0.0.0.0" || host === "::";
  const own = everywhere ? "127.0.0.1" : host.includes(":") ? `[${host}]` : host;
  const lines = [`OpenScan server ${version} is ready`, `  open  http://${own}:${port}/`];
  if (everywhere) for (const address of networkAddresses()) lines.push(`        http://${address}:${port}/`);
  return lines.join("\n");
}

function networkAddresses(): string[] {
  return Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ family, internal }) => family === "IPv4" && !internal)
    .map(({ address }) => address);
}

main().catch((error: unknown) => {
  process.stderr.write(`openscan-server: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
