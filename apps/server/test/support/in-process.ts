import { type Clock, type Logger, silentLogger, systemClock } from "@openscan/runtime";
import { onTestFinished } from "vitest";
import { compose } from "../../src/compose.js";
import type { Config } from "../../src/config.js";
import type { Machine, PowerAction } from "../../src/device/machine.js";
import { Api } from "./api.js";
import { createFolder, quickConfiguration, type ScannerFolder } from "./folder.js";

export interface TestServer {
  readonly api: Api;
  readonly folder: ScannerFolder;
  close(reason?: "stop" | "restart"): Promise<void>;
}

interface Changes {
  readonly config?: Partial<Config>;
  readonly clock?: Clock;
  readonly log?: Logger;
  readonly flushLog?: () => Promise<void>;
  /** Answers a wish to switch the machine off; when it resolves, the server is closed. */
  readonly goDown?: (action: PowerAction) => Promise<void>;
}

/** A server in this process, with every reply checked against its schema; gone with the test. */
export async function startServer(configuration?: unknown, changes?: Changes): Promise<TestServer> {
  const server = await listeningServer(configuration, changes);
  await server.initialize();
  return server;
}

interface ListeningServer extends TestServer {
  initialize(): Promise<void>;
}

/** The same in the moment in which its port is open and its device is not yet. */
export async function listeningServer(configuration?: unknown, changes?: Changes): Promise<ListeningServer> {
  const server = await keptServer(configuration, changes);
  onTestFinished(async () => {
    await server.close();
    await server.folder.remove();
  });
  return server;
}

/** The same, to be closed and removed by who asked for it. */
export async function keptServer(
  configuration?: unknown,
  { config = {}, clock = systemClock, log = silentLogger, flushLog, goDown }: Changes = {},
): Promise<ListeningServer> {
  const folder = await createFolder(configuration ?? (await quickConfiguration()));
  const machine: Machine | undefined = goDown && {
    goDown,
    goingDown: (action) => void server.close(action === "reboot" ? "restart" : "stop"),
  };
  const server = compose(
    {
      ...folder.directories,
      port: 0,
      host: "127.0.0.1",
      logLevel: "error",
      allowHosts: [],
      allowOrigins: [],
      ...config,
    },
    {
      version: "1.2.3",
      clock,
      log,
      checkResponses: true,
      ...(machine && { machine }),
      ...(flushLog && { flushLog }),
    },
  );
  const port = await server.listen();
  const close = (reason: "stop" | "restart" = "stop") => server.close(reason);
  return { api: new Api(`http://127.0.0.1:${port}`), folder, close, initialize: () => server.initialize() };
}
