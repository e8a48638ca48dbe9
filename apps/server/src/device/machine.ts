import { execFile } from "node:child_process";
import { ScanError } from "@openscan/protocol";

export type PowerAction = "reboot" | "shutdown";

/** The computer in the scanner, which can be switched off with it. */
export interface Machine {
  /** Resolves once it is certain that the machine goes down. */
  goDown(action: PowerAction): Promise<void>;
  /** The machine goes down: everything is to be left in order. */
  goingDown(action: PowerAction): void;
}

const commands = { reboot: "reboot", shutdown: "poweroff" } as const;

/** Asking takes no time; what takes longer waits for a password that nobody will type. */
const patienceMs = 30_000;

/**
 * Asks systemd to take the machine down.
 *
 * @throws ScanError `unsupported` without systemd, `hardware_fault` telling why it refused
 */
export function askSystemd(action: PowerAction, program = "systemctl"): Promise<void> {
  return new Promise((resolve, reject) => {
    const args = ["--no-ask-password", commands[action]];
    execFile(program, args, { timeout: patienceMs }, (error, _stdout, stderr) => {
      if (!error) return resolve();
      if (error.code === "ENOENT")
        return reject(new ScanError("unsupported", `${action}: there is no ${program} on this machine`));
      const why = error.killed ? `no answer within ${patienceMs / 1000} s` : stderr.trim() || error.message;
      reject(new ScanError("hardware_fault", `${action} was refused: ${why}`, { cause: error }));
    });
  });
}
