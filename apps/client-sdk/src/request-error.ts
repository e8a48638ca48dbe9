/** A REST request that did not succeed. */
export class RequestError extends Error {
  /** HTTP status; 0 when there was no answer (unreachable or timed out). */
  readonly status: number;
  /** What went wrong, for people, whichever of its shapes the server sent. */
  readonly detail: string;
  /** The parsed reply, or its text when it is not JSON. */
  readonly body: unknown;

  constructor(request: string, options: { status: number; detail: string; body?: unknown; cause?: unknown }) {
    const { status, detail, body, cause } = options;
    super(status === 0 ? `${request}: ${detail}` : `${request}: HTTP ${status}: ${detail}`, { cause });
    this.name = "RequestError";
    this.status = status;
    this.detail = detail;
    this.body = body;
  }
}

/**
 * One line for people out of an error reply: its `detail` is a string, an object with a `message`, or a list
 * of rejected values `{loc, msg}`; unexpected failures and proxies answer plain text.
 */
export function detailText(body: unknown, fallback: string): string {
  if (typeof body === "string") return body.trim() || fallback;
  const { detail, message } = (body ?? {}) as { detail?: unknown; message?: unknown };
  if (Array.isArray(detail)) return detail.map(problemText).join("; ");
  const known = [detail, (detail as { message?: unknown } | undefined | null)?.message, message];
  const text = known.find((candidate) => typeof candidate === "string");
  return text ?? (JSON.stringify(detail ?? body) || fallback);
}

function problemText(problem: { loc?: unknown; msg?: unknown } | null): string {
  if (!Array.isArray(problem?.loc)) return JSON.stringify(problem);
  return `${problem.loc.join(".")}: ${String(problem.msg)}`;
}
