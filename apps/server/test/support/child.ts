import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import { Api } from "./api.js";
import type { ScannerFolder } from "./folder.js";

export interface ServerProcess {
  readonly api: Api;
  readonly process: ChildProcess;
  /** Everything it has printed so far. */
  output(): string;
  /** Sends a signal and waits for the end; resolves with the exit code, `null` when the signal killed it. */
  stop(signal: NodeJS.Signals): Promise<number | null>;
}

const main = fileURLToPath(new URL("../../dist/main.js", import.meta.url));

/** The built server as a process of its own, which can be killed; killed with the test at the latest. */
export function spawnServer(
  folder: ScannerFolder,
  args: readonly string[] = [],
  variables: Readonly<Record<string, string>> = {},
): Promise<ServerProcess> {
  return launchServer(folder, args, variables).ready;
}

/** The same for those who do not wait until it is ready. */
export function launchServer(
  { directories }: ScannerFolder,
  args: readonly string[] = [],
  variables: Readonly<Record<string, string>> = {},
): { readonly process: ChildProcess; readonly ready: Promise<ServerProcess> } {
  const environment = {
    OPENSCAN_SETTINGS_DIR: directories.settingsDir,
    OPENSCAN_PROJECT_DIR: directories.projectDir,
    OPENSCAN_RUNTIME_DIR: directories.runtimeDir,
    OPENSCAN_LOG_DIR: directories.logDir,
  };
  const child = spawn(process.execPath, [main, "--port", "0", "--host", "127.0.0.1", ...args], {
    env: { ...process.env, ...environment, ...variables },
    stdio: ["ignore", "pipe", "pipe"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  return { process: child, ready: awaitReady(child) };
}

/** Resolves once the process has printed its address; rejects with its output when it ends before. */
export async function awaitReady(child: ChildProcess): Promise<ServerProcess> {
  let output = "";
  const exited = once(child, "exit") as Promise<[number | null]>;
  const url = new Promise<string>((resolve, reject) => {
    const read = (chunk: Buffer) => {
      output += chunk.toString();
      const found = /open {2}(http:\/\/\S+)\/$/m.exec(output)?.[1];
      if (found) resolve(found);
    };
    child.stdout?.on("data", read);
    child.stderr?.on("data", read);
    void exited.then(([code]) => reject(new Error(`the server ended with ${code}:\n${output}`)));
  });
  return {
    api: new Api(await url),
    process: child,
    output: () => output,
    async stop(signal) {
      child.kill(signal);
      const [code] = await exited;
      return code;
    },
  };
}
