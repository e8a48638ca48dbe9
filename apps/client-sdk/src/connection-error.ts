/** Close codes after which trying again would end the same way: unauthorised, forbidden, version not supported. */
const FINAL: readonly unknown[] = [4401, 4403, 4406];
const LONGEST_RETRY_AFTER_MS = 5 * 60_000;

/** Why a connection ended, or could not be made. */
export class ConnectionError extends Error {
  /** WebSocket close code, when there was one. */
  readonly closeCode: number | undefined;
  /** What the server asked to wait, in milliseconds. */
  readonly retryAfterMs: number | undefined;
  /** Something that the server sent did not arrive. The next connection asks for it again. */
  readonly gap: boolean;
  /** Trying again would end the same way. */
  readonly final: boolean;

  constructor(
    message: string,
    options: { closeCode?: number; reason?: string; gap?: boolean; final?: boolean; cause?: unknown } = {},
  ) {
    const { closeCode, reason = "", gap = false, final = FINAL.includes(closeCode), cause } = options;
    super(message, { cause });
    this.name = "ConnectionError";
    this.closeCode = closeCode;
    this.retryAfterMs = retryAfter(reason);
    this.gap = gap;
    this.final = final;
  }
}

/** The error for a close frame, or for 1006 where none arrived. */
export function closedError(url: string, closeCode: number, reason: string): ConnectionError {
  return new ConnectionError(`${url} closed with ${closeCode} ${reason}`.trimEnd(), { closeCode, reason });
}

/** Codes 1012 and 1013 carry `{"retry_after_ms": …}` as their reason; any other reason is plain text. */
function retryAfter(reason: string): number | undefined {
  const digits = /^{.*"retry_after_ms"\s*:\s*(\d+)/.exec(reason)?.[1];
  return digits ? Math.min(+digits, LONGEST_RETRY_AFTER_MS) : undefined;
}
