import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { type FileHandle, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ScanError } from "@openscan/protocol";
import type { Clock } from "@openscan/runtime";

export interface ProgramCall {
  readonly args: readonly string[];
  /** Text that the program reads from its standard input, which is a file that has no name any more. */
  readonly input?: string;
  readonly limitMs: number;
  readonly signal?: AbortSignal | undefined;
  readonly env: NodeJS.ProcessEnv;
  readonly clock: Clock;
}

export interface ProgramEnd {
  /** -1 when a signal ended it. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** What a program that was told to end may take before it is killed. */
const GRACE_MS = 1000;
const MAX_OUTPUT = 64 * 1024;

/**
 * Runs a program to its end, without a shell.
 *
 * @throws ScanError `unsupported` when it is not installed, `timeout` when it took too long, or the signal's reason;
 *   never before it has really ended
 */
export async function runProgram(name: string, call: ProgramCall): Promise<ProgramEnd> {
  call.signal?.throwIfAborted();
  const input = call.input === undefined ? undefined : await namelessFile(call.input);
  try {
    return await run(name, call, input?.fd ?? "ignore");
  } finally {
    await input?.close();
  }
}

async function run(name: string, call: ProgramCall, stdin: number | "ignore"): Promise<ProgramEnd> {
  const { args, env, limitMs, signal, clock } = call;
  const child = spawn(name, args, { env, stdio: [stdin, "pipe", "pipe"] });
  let problem: unknown;
  let stopKilling = () => {};
  const end = (cause: unknown) => {
    problem ??= cause;
    child.kill("SIGTERM");
    stopKilling = clock.after(GRACE_MS, () => child.kill("SIGKILL"));
  };
  const stopWaiting = clock.after(limitMs, () =>
    end(new ScanError("timeout", `${name} did not end within ${limitMs / 1000} s`)),
  );
  const abort = () => end(signal?.reason);
  signal?.addEventListener("abort", abort, { once: true });
  const output = { stdout: "", stderr: "" };
  for (const stream of ["stdout", "stderr"] as const) {
    child[stream]?.setEncoding("utf8").on("data", (text: string) => {
      output[stream] = (output[stream] + text).slice(0, MAX_OUTPUT);
    });
  }
  try {
    const code = await new Promise<number>((resolve, reject) => {
      child.once("error", (cause: NodeJS.ErrnoException) => reject(startError(name, cause)));
      child.once("close", (exitCode) => resolve(exitCode ?? -1));
    });
    if (problem !== undefined) throw problem;
    return { code, ...output };
  } finally {
    stopWaiting();
    stopKilling();
    signal?.removeEventListener("abort", abort);
  }
}

function startError(name: string, cause: NodeJS.ErrnoException): ScanError {
  const why = cause.code === "ENOENT" ? "it is not installed" : cause.message;
  return new ScanError("unsupported", `${name} cannot be run: ${why}`, { cause });
}

/** What it holds is gone with the processes that have it open, whatever happens to them. */
async function namelessFile(text: string): Promise<FileHandle> {
  const path = join(tmpdir(), `openscan-${randomUUID()}`);
  const file = await open(path, "wx+", 0o600);
  try {
    await rm(path);
    // At a position, so that it is read from its start by whoever inherits it.
    await file.write(text, 0);
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}
