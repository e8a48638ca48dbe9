import { execFile } from "node:child_process";

/** What a program said that ran, or tried to. */
export interface ProgramRun {
  readonly stdout: string;
  readonly stderr: string;
  /** Why this is not all, or nothing; null when it ended well. */
  readonly error: string | null;
  readonly isInstalled: boolean;
}

export interface RunOptions {
  readonly limitMs: number;
  /** Of each output; a program that says more is ended. */
  readonly maxBytes: number;
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
}

/** Runs a program without a shell; whatever becomes of it is told, never thrown. */
export function runProgram(
  program: string,
  args: readonly string[],
  { limitMs, maxBytes, env }: RunOptions,
): Promise<ProgramRun> {
  return new Promise((resolve) => {
    const options = {
      timeout: limitMs,
      // One that hangs in a driver heeds nothing else.
      killSignal: "SIGKILL",
      maxBuffer: maxBytes,
      ...(env && { env }),
    } as const;
    execFile(program, args, options, (error, stdout, stderr) => {
      const isInstalled = error?.code !== "ENOENT";
      const failure = error && reason(program, error, limitMs);
      resolve({ stdout, stderr, isInstalled, error: isInstalled ? failure : `${program} is not installed` });
    });
  });
}

type ExecError = NonNullable<Parameters<NonNullable<Parameters<typeof execFile>[3]>>[0]>;

function reason(program: string, { code, signal, killed, message }: ExecError, limitMs: number): string {
  if (String(code) === "ERR_CHILD_PROCESS_STDIO_MAXBUFFER") return `${program} said too much`;
  if (killed) return `${program} did not end within ${limitMs} ms`;
  if (signal) return `${program} was ended by ${signal}`;
  return typeof code === "number" ? `${program} ended with code ${code}` : message;
}
