import { type ChildProcess, spawn } from "node:child_process";
import { constants } from "node:os";

/** Exit code of a process that has shut down in order to be started again. */
export const restartExitCode = 75;

/** Set for a process whose parent starts it again when it ends with `restartExitCode`. */
export const supervisedVariable = "OPENSCAN_SUPERVISED";

const forwarded = ["SIGINT", "SIGTERM"] as const;

/**
 * Runs the program anew at the same terminal, and again whenever it asks for that; signals are passed on. This process
 * only waits: whoever started it sees one process that goes on.
 *
 * @param args of Node.js
 * @returns the exit code of the last run
 */
export async function runSuccessors(args: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  let child: ChildProcess | undefined;
  let told: NodeJS.Signals | undefined;
  for (const signal of forwarded) {
    process.on(signal, () => {
      told = signal;
      child?.kill(signal);
    });
  }
  for (;;) {
    child = spawn(process.execPath, args, {
      env: { ...env, [supervisedVariable]: "1" },
      // By the channel it notices when this process is killed, and does not go on alone.
      stdio: ["inherit", "inherit", "inherit", "ipc"],
    });
    const code = await exitCode(child);
    if (code !== restartExitCode || told) return code === restartExitCode ? 0 : code;
  }
}

function exitCode(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code, signal) => resolve(code ?? 128 + (signal ? constants.signals[signal] : 0)));
  });
}
