import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** A running example and the lines that it printed. */
export interface Program {
  readonly lines: readonly string[];
  /** Resolves when `found` is true of the lines; rejects with them when the program ends first. */
  until(found: (lines: readonly string[]) => boolean): Promise<void>;
  stop(): Promise<void>;
}

/** @param script path below `examples/` */
export function startProgram(command: string, script: string, ...args: string[]): Program {
  const path = fileURLToPath(new URL(`../${script}`, import.meta.url));
  const child = spawn(command, [path, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  const lines: string[] = [];
  let ended = false;
  const watchers = new Set<() => void>();
  const changed = () => {
    for (const watch of watchers) watch();
  };
  for (const output of [child.stdout, child.stderr]) {
    createInterface({ input: output }).on("line", (line) => {
      lines.push(line);
      changed();
    });
  }
  const closed = once(child, "close").then(() => {
    ended = true;
    changed();
  });
  return {
    lines,
    async until(found) {
      await new Promise<void>((resolve, reject) => {
        const watch = () => {
          if (found(lines)) resolve();
          else if (ended) reject(new Error(`${script} ended:\n${lines.join("\n")}`));
          else return;
          watchers.delete(watch);
        };
        watchers.add(watch);
        watch();
      });
    },
    async stop() {
      child.kill("SIGKILL");
      await closed;
    },
  };
}
