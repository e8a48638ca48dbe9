const RESYNC = 4009;
const FINAL: ReadonlyMap<number, string> = new Map([
  [4401, "unauthorised"],
  [4403, "forbidden"],
  [4406, "protocol version not supported"],
]);
const LONGEST_RETRY_AFTER_MS = 5 * 60_000;

/** Why a connection ended, or could not be made. */
export class ConnectionError extends Error {
  /** WebSocket close code, when there was one. */
  readonly closeCode: number | undefined;
  /** What the server asked to wait, in milliseconds. */
  readonly retryAfterMs: number | undefined;
  /** Something that the server sent did not arrive. The next connection asks for it again. */
  readonly gap: boolean;
  /** A fresh connection is wanted at once: there is a gap, or the server asked for it. */
  readonly resync: boolean;
  /** Trying again would end the same way. */
  readonly final: boolean;

  constructor(
    message: string,
    options: { closeCode?: number; reason?: string; gap?: boolean; final?: boolean; cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
    this.name = "ConnectionError";
    this.closeCode = options.closeCode;
    this.retryAfterMs = retryAfter(options.reason);
    this.gap = options.gap ?? false;
    this.resync = this.gap || options.closeCode === RESYNC;
    this.final = options.final ?? FINAL.has(options.closeCode ?? 0);
  }
}

/** The error for a close frame, or for 1006 where none arrived. */
export function closedError(url: string, closeCode: number, reason: string): ConnectionError {
  const why = FINAL.get(closeCode) ?? (reason || "no reason given");
  return new ConnectionError(`${url} closed with ${closeCode}: ${why}`, { closeCode, reason });
}

/** Codes 1012 and 1013 carry `{"retry_after_ms": …}` as their reason; any other reason is plain text. */
function retryAfter(reason: string | undefined): number | undefined {
  const digits = /^\{.*"retry_after_ms"\s*:\s*(\d+(?:\.\d+)?)\s*[,}]/.exec(reason ?? "")?.[1];
  return digits === undefined ? undefined : Math.min(Number(digits), LONGEST_RETRY_AFTER_MS);
}
