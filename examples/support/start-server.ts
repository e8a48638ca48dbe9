import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const MAIN = fileURLToPath(new URL("../../apps/server/dist/main.js", import.meta.url));

export interface RunningServer {
  /** E.g. `http://127.0.0.1:39555`. */
  readonly url: string;
  /** Ends the server as a power failure would. */
  kill(): Promise<void>;
  /** Starts it again on the same port with the same files. */
  startAgain(): Promise<void>;
  /** Stops the server and removes its files. */
  stop(): Promise<void>;
}

/**
 * Starts the built server with a simulated scanner, on a free port and in a temporary folder.
 *
 * @throws what the server wrote, when it ends before it is ready
 */
export async function startServer(): Promise<RunningServer> {
  const folder = await mkdtemp(join(tmpdir(), "openscan-examples-"));
  let { process: server, port } = await launch(folder, 0);
  return {
    url: `http://127.0.0.1:${port}`,
    kill: () => end(server, "SIGKILL"),
    async startAgain() {
      ({ process: server, port } = await launch(folder, port));
    },
    async stop() {
      await end(server, "SIGTERM");
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function launch(folder: string, port: number): Promise<{ process: ChildProcess; port: number }> {
  const server = spawn(process.execPath, [MAIN, "--port", String(port), "--host", "127.0.0.1"], {
    stdio: ["ignore", "pipe", "pipe"],
    cwd: folder,
    env: {
      ...process.env,
      OPENSCAN_SETTINGS_DIR: join(folder, "settings"),
      OPENSCAN_PROJECT_DIR: join(folder, "projects"),
      OPENSCAN_RUNTIME_DIR: join(folder, "runtime"),
      OPENSCAN_LOG_DIR: join(folder, "logs"),
    },
  });
  let written = "";
  const ready = new Promise<number>((resolve, reject) => {
    for (const output of [server.stdout, server.stderr]) {
      createInterface({ input: output }).on("line", (line) => {
        written = `${written}${line}\n`.slice(-4000);
        const found = /http:\/\/127\.0\.0\.1:(\d+)/.exec(line)?.[1];
        if (found) resolve(Number(found));
      });
    }
    server.once("exit", (code) => reject(new Error(`the server ended with ${code}:\n${written}`)));
  });
  return { process: server, port: await ready };
}

async function end(server: ChildProcess, signal: "SIGTERM" | "SIGKILL"): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return;
  const exited = once(server, "exit");
  server.kill(signal);
  await exited;
}
