import { ScanError } from "@openscan/protocol";

/** The remote cloud failed, or could not be reached. */
export class CloudError extends ScanError {
  /** Whether the same may succeed a little later. */
  readonly isTransient: boolean;
  /** What the remote server answered with, if it did. */
  readonly status: number | undefined;

  constructor(
    message: string,
    options: { readonly isTransient: boolean; readonly status?: number; readonly cause?: unknown },
  ) {
    super("bad_gateway", message, options);
    this.isTransient = options.isTransient;
    this.status = options.status;
  }
}

/** Whether an answer with this status may be another one a little later. */
export function isTransientStatus(status: number): boolean {
  return status >= 500 || status === 408 || status === 425 || status === 429;
}

/** What went wrong with a connection, as short as the system says it. */
export function connectionProblem(error: unknown): string {
  const { cause } = error as Error;
  const root = cause instanceof Error ? cause : (error as Error);
  const { code } = root as NodeJS.ErrnoException;
  return root.message === "" || root.message === code ? (code ?? root.name) : root.message;
}
